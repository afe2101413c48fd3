import Envelope
import Keyring

@testable import Crypto

extension Target {
    static let opener = Target(
        "opener", "sealed envelopes: strange, altered, genuine",
        seeds: {
            [
                ("strange", [0] + Sample.sealed(Sample.batch(2))),
                ("readdressed", [1] + [UInt8](repeating: 7, count: 90)),
                ("altered", [2, 200, 0, 1] + Sample.batch(3)),
                ("compressed", [3, 10, 0, 128] + Sample.batch(3)),
                ("streams", [4, 0, 0, 1, 0, 2, 0, 0, 0, 1, 1, 2, 2, 3, 0, 3, 1, 3, 2, 0, 0]),
            ]
        },
        run: { input in
            guard let mode = input.first else { return }
            let rest = Array(input.dropFirst())
            switch mode % 5 {
            case 0: tryOpening(rest)
            case 1: tryOpening(readdressed(rest))
            case 2: tryAltered(rest, compression: .none)
            case 3: tryAltered(rest, compression: .zlib)
            default: tryStreams(rest)
            }
        })

    /// Envelopes of more streams than an opener keeps at hand, while keys come and go.
    private static func tryStreams(_ input: [UInt8]) {
        let here = Sample.keychain(of: Sample.here, for: Sample.peer)
        var destroyed = here
        destroyed.advance(Sample.record.id, to: .destroyed)
        let keychains: [(Keychain, OpenError?)] = [
            (here, nil), (destroyed, .destroyedKey(Sample.record.id)),
            (Keychain(holder: Sample.here), .unknownKey(Sample.record.id)),
            (
                Sample.keychain(of: Sample.here, for: Sample.name("plant-c/agent")),
                .unknownSource(NodeID(of: Sample.peer))
            ),
            (Sample.keychain(of: Sample.peer, for: Sample.here), .wrongAddress(NodeID(of: Sample.here))),
        ]
        var opener = Opener(here, capacity: 2)
        var expected: OpenError?
        for pair in 0..<min(64, input.count / 2) {
            let (action, value) = (input[2 * pair], Int(input[2 * pair + 1]))
            if action % 4 == 3 {
                opener.use(keychains[value % keychains.count].0)
                expected = keychains[value % keychains.count].1
                require(opener.streamsHeld == 0, "with other keys no stream is at hand")
                continue
            }
            let kind = Header.Kind.allCases[value % Header.Kind.allCases.count]
            let envelope = Sample.sealed([1, 2], kind: kind, stream: UInt64(action % 3))
            do throws(OpenError) {
                let opened = try opener.open(envelope)
                require(opened == [1, 2] && expected == nil, "what was sealed is opened with its key")
            } catch {
                require(error == expected && !error.description.isEmpty, "without its key it is not: \(error)")
            }
            require(opener.streamsHeld <= 2, "no more streams are at hand than wanted")
        }
    }

    private static func tryOpening(_ envelope: [UInt8]) {
        var opener = Opener(Sample.keychain(of: Sample.here, for: Sample.peer))
        do throws(OpenError) {
            let batch = try opener.open(envelope)
            require(batch.count <= Limits.batchBytes, "a batch is within its limit")
        } catch {
            require(!error.description.isEmpty, "an error says something")
        }
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
        "certificate", "certificates of nodes and authorities, DER and PEM", longest: 16 << 10,
        seeds: {
            guard let authority = try? Authority(newAt: Sample.now, days: 3_650),
                let node = try? authority.issue(
                    to: Sample.here, publicKey: SigningKey().verifyingKey, now: Sample.now, days: 365)
            else { return [] }
            let other = try? Authority(newAt: Sample.now, days: 3_650)
            return [
                ("node-der", node.der), ("node-pem", node.pem), ("authority-der", authority.certificate.der),
                ("bundle-pem", authority.certificate.pem + node.pem),
                ("stranger-pem", (other?.certificate.pem ?? []) + node.pem),
                ("crowd-pem", (0...AuthorityCertificate.limit).flatMap { _ in authority.certificate.pem }),
            ]
        },
        run: { input in
            let bytes = Array(input)
            let padded = bytes + [UInt8](repeating: 0, count: CertificateHandle.encodedBytes)
            require((try? CertificateHandle(der: padded)) == nil, "what is too long is not read")
            require((try? CertificateHandle.all(inPEM: bytes, limit: 0)) == nil, "a text that is too long is not read")
            var authorities = [try? AuthorityCertificate(der: bytes)].compactMap { $0 }
            var nodes = [try? NodeCertificate(der: bytes), try? NodeCertificate(pem: bytes)].compactMap { $0 }
            // Of a text with several, those that may issue are asked about all.
            for handle in (try? CertificateHandle.all(inPEM: bytes, limit: AuthorityCertificate.limit)) ?? [] {
                guard let der = try? handle.encoded() else { continue }
                authorities += [try? AuthorityCertificate(der: der)].compactMap { $0 }
                nodes += [try? NodeCertificate(der: der)].compactMap { $0 }
            }
            do throws(CertificateError) {
                let all = try AuthorityCertificate.all(inPEM: bytes)
                require(all.count <= AuthorityCertificate.limit, "authorities are within their limit")
                let first = try AuthorityCertificate(pem: bytes)
                require(first == all.first, "the first is the first")
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
            for node in nodes { tryCertificate(node, authorities) }
            for authority in authorities {
                require((try? AuthorityCertificate(pem: authority.pem)) == authority, "an authority is read as written")
                require(authority.subject.utf8.count <= 1024, "a subject is short")
            }
        })

    private static func tryCertificate(_ node: NodeCertificate, _ authorities: [AuthorityCertificate]) {
        require((try? NodeCertificate(der: node.der)) == node, "a certificate is read as written")
        require((try? NodeCertificate(pem: node.pem)) == node, "a certificate is read as written")
        _ = node.publicKey.verify([UInt8](repeating: 1, count: 64), of: node.der, for: SigningPurpose("fuzz"))
        let times = [nil, Sample.now, WallTime(milliseconds: 0), WallTime(milliseconds: 4_000_000_000_000)]
        for time in times {
            do throws(CertificateError) {
                try node.verify(against: authorities, at: time)
                let one = authorities.contains { (try? node.verify(against: $0, at: time)) != nil }
                require(one, "what several vouch for one of them does")
                require(!authorities.isEmpty, "nobody vouches for a certificate where there is no authority")
                require(time.map { node.notBefore <= $0 && $0 <= node.notAfter } ?? true, "what is valid is so now")
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
        }
    }
}
