import Crypto
import Envelope
import Keyring

extension Target {
    static let opener = Target(
        "opener", "sealed envelopes: strange, altered, genuine",
        seeds: {
            [
                ("strange", [0] + Sample.sealed(Sample.batch(2))),
                ("readdressed", [1] + [UInt8](repeating: 7, count: 90)),
                ("altered", [2, 200, 0, 1] + Sample.batch(3)),
                ("compressed", [3, 10, 0, 128] + Sample.batch(3)),
            ]
        },
        run: { input in
            guard let mode = input.first else { return }
            let rest = Array(input.dropFirst())
            switch mode % 4 {
            case 0: tryOpening(rest)
            case 1: tryOpening(readdressed(rest))
            default: tryAltered(rest, compression: mode % 4 == 2 ? .none : .zlib)
            }
        })

    private static func tryOpening(_ envelope: [UInt8]) {
        var opener = Opener(Sample.keychain(of: Sample.here, for: Sample.peer))
        guard let batch = try? opener.open(envelope) else { return }
        require(batch.count <= Limits.batchBytes, "a batch is within its limit")
    }

    /// A body under a header that leads to the right key.
    private static func readdressed(_ body: [UInt8]) -> [UInt8] {
        var header = Sample.header(body: body.count)
        header.key = Sample.record.id
        return header.encoded + body
    }

    private static func tryAltered(_ input: [UInt8], compression: Compression) {
        guard input.count >= 3 else { return }
        let batch = Array(input[3...])
        var envelope = Sample.sealed(batch, compression: compression)
        var opener = Opener(Sample.keychain(of: Sample.here, for: Sample.peer))
        require((try? opener.open(envelope)) == batch, "what was sealed is opened")
        guard input[2] != 0 else { return }
        envelope[(Int(input[0]) | Int(input[1]) << 8) % envelope.count] ^= input[2]
        require((try? opener.open(envelope)) == nil, "what was altered is not opened")
    }

    static let keyRecord = Target(
        "key-record", "the file of a key record",
        seeds: { [("record", Sample.record.file)] },
        run: { input in
            guard let record = try? KeyRecord(file: Array(input)) else { return }
            require((try? KeyRecord(file: record.file))?.digest == record.digest, "a key record is read as written")
        })

    static let keyGrant = Target(
        "key-grant", "the file of a key grant",
        seeds: {
            let grant = Sample.record.grant(to: Sample.here, for: [Sample.peer, Sample.name("cloud-a/manager")])
            return [("grant", grant.file), ("unchecked", Array(grant.file.dropLast(24)))]
        },
        run: { input in
            let bytes = Array(input)
            // The check at its end would hide what is before it.
            let digits = Hexadecimal.encode(Digest.sha256(bytes)).prefix(16)
            for file in [bytes, bytes + Array("check: \(digits)\n".utf8)] {
                guard let grant = try? KeyGrant(file: file) else { continue }
                let same = try? KeyGrant(file: grant.file)
                require(same?.peers == grant.peers && same?.digest == grant.digest, "a grant is read as written")
                var keychain = Keychain(holder: grant.holder)
                try? keychain.insert(grant)
            }
        })

    static let certificate = Target(
        "certificate", "certificates of nodes and authorities, DER and PEM",
        seeds: {
            guard let authority = try? Authority(newAt: Sample.now, days: 3_650),
                let node = try? authority.issue(
                    to: Sample.here, publicKey: SigningKey().verifyingKey, now: Sample.now, days: 365)
            else { return [] }
            return [
                ("node-der", node.der), ("node-pem", node.pem), ("authority-der", authority.certificate.der),
                ("bundle-pem", authority.certificate.pem + node.pem),
            ]
        },
        run: { input in
            let bytes = Array(input)
            let nodes = [try? NodeCertificate(der: bytes), try? NodeCertificate(pem: bytes)].compactMap { $0 }
            var authorities = [try? AuthorityCertificate(der: bytes)].compactMap { $0 }
            authorities += (try? AuthorityCertificate.all(inPEM: bytes)) ?? []
            require(authorities.count <= AuthorityCertificate.limit + 1, "authorities are within their limit")
            for node in nodes {
                require((try? NodeCertificate(der: node.der))?.name == node.name, "a certificate is read as written")
                if !authorities.isEmpty { try? node.verify(against: authorities, at: Sample.now) }
                _ = node.publicKey.verify([UInt8](repeating: 1, count: 64), of: bytes, for: SigningPurpose("fuzz"))
            }
            for authority in authorities { _ = (authority.subject, authority.notAfter) }
        })
}
