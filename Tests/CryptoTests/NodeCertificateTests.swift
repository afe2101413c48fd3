import COpenSSL
import Envelope
import Testing

@testable import Crypto

@Suite struct NodeCertificateTests {
    static let now = WallTime(milliseconds: 1_795_000_000_000)
    static let day: Int64 = 86_400_000

    let authority: Authority
    let key = SigningKey()
    let certificate: NodeCertificate

    init() throws {
        authority = try Authority(newAt: Self.now, days: 3_650)
        certificate = try authority.issue(
            to: NodeName("plant-a/relay-1"), publicKey: key.verifyingKey, now: Self.now, days: 30)
    }

    @Test func tellsWhatItWasIssuedFor() throws {
        #expect(try certificate.name == NodeName("plant-a/relay-1"))
        #expect(certificate.publicKey == key.verifyingKey)
        #expect(certificate.notBefore == WallTime(milliseconds: Self.now.milliseconds - 3_600_000))
        #expect(certificate.notAfter == WallTime(milliseconds: Self.now.milliseconds + 30 * Self.day))
        #expect(certificate.fingerprint == Digest.sha256(certificate.der))
        #expect(try VerifyingKey(certificate: certificate.der) == key.verifyingKey)
        try certificate.verify(against: authority.certificate, at: Self.now)
    }

    @Test func goesThroughPEMAndDER() throws {
        #expect(try NodeCertificate(pem: certificate.pem) == certificate)
        #expect(try NodeCertificate(der: certificate.der) == certificate)
        let read = try AuthorityCertificate(pem: authority.certificate.pem)
        #expect(read == authority.certificate)
        #expect(read.subject == "CN=GridRelay mesh authority")
        try NodeCertificate(pem: certificate.pem).verify(against: read, at: Self.now)
    }

    @Test func theLongestNameFits() throws {
        let label = String(repeating: "a", count: Limits.nameLength)
        let name = try NodeName("\(label)/\(label)")
        let issued = try authority.issue(to: name, publicKey: key.verifyingKey, now: Self.now, days: 1)
        #expect(issued.name == name)
        try issued.verify(against: authority.certificate, at: Self.now)
    }

    @Test func serialNumbersDiffer() throws {
        let other = try authority.issue(
            to: certificate.name, publicKey: key.verifyingKey, now: Self.now, days: 30)
        #expect(other.fingerprint != certificate.fingerprint)
    }

    @Test(arguments: [-1, 0, 36_501, Int.max])
    func refusesALifeThatMakesNoSense(days: Int) {
        #expect(throws: CertificateError.unusableLife(days: days)) {
            try authority.issue(to: certificate.name, publicKey: key.verifyingKey, now: Self.now, days: days)
        }
        #expect(throws: CertificateError.unusableLife(days: days)) { try Authority(newAt: Self.now, days: days) }
    }

    @Test func aLifeBeyond2050IsKept() throws {
        let issued = try authority.issue(
            to: certificate.name, publicKey: key.verifyingKey, now: Self.now, days: 36_500)
        #expect(issued.notAfter.milliseconds == Self.now.milliseconds + 36_500 * Self.day)
    }

    @Test func isJudgedAtTheTimeGiven() throws {
        let end = certificate.notAfter
        let start = certificate.notBefore
        try certificate.verify(
            against: authority.certificate, at: WallTime(milliseconds: end.milliseconds - 1_000))
        try certificate.verify(against: authority.certificate, at: start)
        #expect(throws: CertificateError.expired(at: end)) {
            try certificate.verify(against: authority.certificate, at: end)
        }
        // Before the node's life began the authority's had not begun either; the node is judged first.
        #expect(throws: CertificateError.notYetValid(until: start)) {
            try certificate.verify(
                against: authority.certificate, at: WallTime(milliseconds: start.milliseconds - 1_000))
        }
        try certificate.verify(against: authority.certificate, at: nil)
    }

    @Test func anotherAuthorityIsNotTrusted() throws {
        // Both carry the same subject; only their keys differ.
        let other = try Authority(newAt: Self.now, days: 10)
        #expect(throws: CertificateError.otherAuthority(issuer: "CN=GridRelay mesh authority")) {
            try certificate.verify(against: other.certificate, at: Self.now)
        }
        try certificate.verify(against: [other.certificate, authority.certificate], at: Self.now)
        #expect(throws: CertificateError.self) { try certificate.verify(against: [], at: Self.now) }
    }

    @Test func aNodeCannotIssue() throws {
        #expect(throws: CertificateError.notAnAuthority) { try AuthorityCertificate(der: certificate.der) }
        #expect(throws: CertificateError.notAnAuthority) {
            try Authority(certificatePEM: certificate.pem, keyPEM: key.pem.exposed)
        }
    }

    @Test func anAuthorityIsNoNode() {
        #expect(throws: CertificateError.noNodeName(found: "none")) {
            try NodeCertificate(der: authority.certificate.der)
        }
    }

    @Test func anAuthorityComesBackFromItsFiles() throws {
        let read = try Authority(certificatePEM: authority.certificate.pem, keyPEM: authority.key.pem.exposed)
        let issued = try read.issue(to: certificate.name, publicKey: key.verifyingKey, now: Self.now, days: 1)
        try issued.verify(against: authority.certificate, at: Self.now)
        #expect(throws: CertificateError.keyDoesNotMatch) {
            try Authority(certificatePEM: authority.certificate.pem, keyPEM: key.pem.exposed)
        }
        #expect(throws: CertificateError.self) { try Authority(certificatePEM: authority.certificate.pem, keyPEM: []) }
    }

    @Test(arguments: [
        nil, "DNS:relay-1.plant-a", "URI:https://plant-a/relay-1", "URI:gridrelay://plant-a", "URI:gridrelay://",
        "URI:gridrelay://plant-a/relay-1/more", "URI:gridrelay://Plant-a/relay-1", "URI:GRIDRELAY://plant-a/relay-1",
        "URI:gridrelay://plant-a/relay-1,URI:gridrelay://plant-a/relay-2",
        "URI:gridrelay://plant-a/relay-1,URI:https://plant-a", "URI:gridrelay://plant-a/relay-1?",
        "URI:gridrelay://plant-a/" + String(repeating: "a", count: 64),
    ])
    func onlyOneWellFormedNameCounts(names: String?) throws {
        let handle = try authority.issue(
            subject: "plant-a/relay-1", names: names, publicKey: key.verifyingKey, now: Self.now, days: 1)
        let error = #expect(throws: CertificateError.self) { try NodeCertificate(der: handle.encoded()) }
        guard case .noNodeName = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func otherKindsOfNamesArePassedOver() throws {
        let handle = try authority.issue(
            subject: "x", names: "DNS:relay-1,URI:gridrelay://plant-a/relay-1,IP:10.0.0.1",
            publicKey: key.verifyingKey, now: Self.now, days: 1)
        #expect(try NodeCertificate(der: handle.encoded()).name == certificate.name)
    }

    @Test(arguments: ["serverAuth", "clientAuth", "codeSigning"])
    func mustServeBothEnds(usage: String) throws {
        let handle = try authority.issue(
            subject: "x", names: "URI:gridrelay://plant-a/relay-1", publicKey: key.verifyingKey, now: Self.now,
            days: 1, usage: usage)
        let error = #expect(throws: CertificateError.self) {
            try NodeCertificate(der: handle.encoded()).verify(against: authority.certificate, at: Self.now)
        }
        guard case .untrusted = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func everyTruncationIsRefused() {
        let der = certificate.der
        for count in 0..<der.count {
            #expect(throws: CertificateError.self) { try NodeCertificate(der: Array(der[..<count])) }
        }
        #expect(throws: CertificateError.self) { try NodeCertificate(der: der + [0]) }
        let pem = certificate.pem
        for count in 0..<pem.count - 1 {
            #expect(throws: CertificateError.self) { try NodeCertificate(pem: Array(pem[..<count])) }
        }
    }

    @Test func noFlippedBitIsTrusted() {
        let der = certificate.der
        for bit in 0..<der.count * 8 {
            var altered = der
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: CertificateError.self, "bit \(bit)") {
                try NodeCertificate(der: altered).verify(against: authority.certificate, at: Self.now)
            }
        }
    }

    /// Names go to a log before anybody has vouched for them: whatever stands there, an error comes out.
    @Test func noAlteredNameDoesHarm() throws {
        let der = certificate.der
        for text in ["GridRelay mesh authority", "gridrelay://plant-a/relay-1"] {
            let place = try #require(der.indices.first { der[$0...].starts(with: text.utf8) })
            // From the structure before the text to its first letters; then nothing but text follows.
            for position in place - 24..<place + 3 {
                for value in UInt8.min...UInt8.max where value != der[position] {
                    var altered = der
                    altered[position] = value
                    #expect(throws: CertificateError.self, "\(value) at \(position)") {
                        try NodeCertificate(der: altered).verify(against: authority.certificate, at: Self.now)
                    }
                }
            }
        }
    }

    @Test func aNameThatCannotBePrintedDoesNoHarm() throws {
        // A Teletex string beyond ASCII, and text with control characters, as issuer.
        for (kind, bytes) in [
            (V_ASN1_T61STRING, bytes(0xFF, 9)), (V_ASN1_PRINTABLESTRING, Array("a\n\u{1B}[2Jb".utf8)),
        ] {
            let handle = try authority.issue(
                subject: "x", names: "URI:gridrelay://plant-a/x", publicKey: key.verifyingKey, now: Self.now, days: 1)
            let name = try #require(X509_get_issuer_name(handle.pointer))
            #expect(X509_NAME_add_entry_by_txt(name, "O", kind, bytes, Int32(bytes.count), -1, 0) == 1)
            #expect(X509_sign(handle.pointer, authority.key.handle.pointer, nil) > 0)
            let read = try NodeCertificate(der: handle.encoded())
            let error = #expect(throws: CertificateError.self) {
                try read.verify(against: authority.certificate, at: Self.now)
            }
            let words = try #require(error).description
            #expect(!words.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "\(words)")
        }
    }

    @Test func severalAuthoritiesFitInOneText() throws {
        let other = try Authority(newAt: Self.now, days: 10)
        let both = try AuthorityCertificate.all(inPEM: authority.certificate.pem + other.certificate.pem)
        #expect(both == [authority.certificate, other.certificate])
        var many: [UInt8] = []
        for _ in 0..<AuthorityCertificate.limit { many += other.certificate.pem }
        #expect(try AuthorityCertificate.all(inPEM: many).count == AuthorityCertificate.limit)
        #expect(throws: CertificateError.tooManyAuthorities(17)) {
            try AuthorityCertificate.all(inPEM: many + other.certificate.pem)
        }
        // A broken one in the middle is not passed over.
        let broken = Array(other.certificate.pem.dropLast(60)) + Array("\n-----END CERTIFICATE-----\n".utf8)
        #expect(throws: CertificateError.self) {
            try AuthorityCertificate.all(inPEM: authority.certificate.pem + broken)
        }
    }

    @Test func theOpenSSLCommandAcceptsTheChain() throws {
        let directory = try TemporaryDirectory()
        let trusted = try directory.write("ca.pem", authority.certificate.pem)
        let node = try directory.write("node.pem", certificate.pem)
        let moment = String(Self.now.milliseconds / 1_000)
        for purpose in ["sslserver", "sslclient"] {
            let verdict = try openssl([
                "verify", "-x509_strict", "-attime", moment, "-purpose", purpose, "-CAfile", trusted, node,
            ])
            #expect(verdict.status == 0, "\(verdict.output)")
        }
        let shown = try openssl(["x509", "-in", node, "-noout", "-text"]).output
        for expected in [
            "URI:gridrelay://plant-a/relay-1", "TLS Web Server Authentication, TLS Web Client Authentication",
            "CN = plant-a/relay-1", "CA:FALSE", "Digital Signature", "Public Key Algorithm: ED25519",
        ] {
            #expect(shown.contains(expected), "\(expected) in \(shown)")
        }
        let authorityShown = try openssl(["x509", "-in", trusted, "-noout", "-text"]).output
        #expect(authorityShown.contains("CA:TRUE, pathlen:0"))
        #expect(authorityShown.contains("Certificate Sign, CRL Sign"))
    }

    @Test func errorsNameTheMoment() {
        let error = CertificateError.expired(at: WallTime(milliseconds: 1_709_209_440_000))
        #expect(error.description.contains("2024-02-29 12:24 UTC"))
        #expect(CertificateError.expired(at: WallTime(milliseconds: -60_000)).description.contains("1969-12-31 23:59"))
    }
}
