import Crypto
import Envelope
import Testing

@Suite struct TLSContextTests {
    let mesh: Mesh
    let key = SigningKey()
    let certificate: NodeCertificate

    init() throws {
        mesh = try Mesh()
        certificate = try mesh.authority.issue(
            to: NodeName("plant-a/relay-1"), publicKey: key.verifyingKey, now: Mesh.now, days: 1)
    }

    @Test func comesFromPEMTexts() throws {
        let context = try TLSContext(
            certificatePEM: certificate.pem, keyPEM: key.pem.exposed, authorityPEM: mesh.authority.certificate.pem)
        #expect(context.certificate == certificate)
        #expect(context.authorities == [mesh.authority.certificate])
    }

    @Test func refusesAKeyOfAnotherNode() {
        #expect(throws: CertificateError.keyDoesNotMatch) {
            try TLSContext(
                certificate: certificate, key: SigningKey(), authorities: [mesh.authority.certificate])
        }
    }

    @Test func refusesACertificateOfAnotherMesh() throws {
        let other = try Mesh()
        #expect(throws: CertificateError.otherAuthority(issuer: "CN=GridRelay mesh authority")) {
            try TLSContext(certificate: certificate, key: key, authorities: [other.authority.certificate])
        }
    }

    @Test func refusesUnreadableTexts() {
        let authorityPEM = mesh.authority.certificate.pem
        let keyPEM = key.pem.exposed
        for text in [[], Array("garbage".utf8), bytes(0, 1_000), bytes(0xFF, 10), keyPEM] {
            #expect(throws: CertificateError.self) {
                try TLSContext(certificatePEM: text, keyPEM: keyPEM, authorityPEM: authorityPEM)
            }
            #expect(throws: CertificateError.self) {
                try TLSContext(certificatePEM: certificate.pem, keyPEM: keyPEM, authorityPEM: text)
            }
        }
        for text in [[], Array("garbage".utf8), certificate.pem] {
            #expect(throws: CertificateError.self) {
                try TLSContext(certificatePEM: certificate.pem, keyPEM: text, authorityPEM: authorityPEM)
            }
        }
    }
}
