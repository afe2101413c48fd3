import Envelope

/// What relays tell each other about the mesh.
enum LinkStateMessage: Equatable, Sendable {
    static let version: UInt8 = 1

    /// News, or the answer to a request.
    case advertisements([SignedAdvertisement])
    /// Everything the sender holds, rising by origin, so that a receiver sees what it lacks.
    case digest([DigestEntry])
    /// Origins whose advertisements the sender wants, rising.
    case request([NodeName])

    struct DigestEntry: Equatable, Sendable {
        var origin: NodeName
        var stamp: Advertisement.Stamp
    }

    private enum Kind: UInt8 {
        case advertisements = 1
        case digest = 2
        case request = 3
    }

    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.append(Self.version)
        switch self {
        case .advertisements(let list):
            writer.append(Kind.advertisements.rawValue)
            writer.append(word: UInt16(list.count))
            for signed in list { signed.append(to: &writer) }
        case .digest(let entries):
            writer.append(Kind.digest.rawValue)
            writer.append(word: UInt16(entries.count))
            for entry in entries {
                writer.append(entry.origin)
                writer.append(word: entry.stamp.boot)
                writer.append(word: entry.stamp.sequence)
            }
        case .request(let origins):
            writer.append(Kind.request.rawValue)
            writer.append(word: UInt16(origins.count))
            for origin in origins { writer.append(origin) }
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(LinkStateError) {
        guard bytes.count <= Limits.linkStateMessageBytes else {
            throw .tooMuch("message bytes", UInt64(bytes.count), limit: UInt64(Limits.linkStateMessageBytes))
        }
        var reader = WireReader(bytes)
        let version = try reader.byte("version")
        guard version == Self.version else { throw .version(version) }
        let type = try reader.byte("type")
        switch Kind(rawValue: type) {
        case .advertisements: self = .advertisements(try Self.advertisements(&reader))
        case .digest: self = .digest(try Self.digest(&reader))
        case .request: self = .request(try Self.request(&reader))
        case nil: throw .unknownMessage(type)
        }
        try reader.end()
    }

    private static func advertisements(_ reader: inout WireReader) throws(LinkStateError) -> [SignedAdvertisement] {
        let least = 8 + Limits.advertisementSignatureBytes
        let count = try reader.count("advertisements", most: Limits.meshRelays, least: least)
        var list: [SignedAdvertisement] = []
        for _ in 0..<count { list.append(try SignedAdvertisement(&reader)) }
        return list
    }

    private static func digest(_ reader: inout WireReader) throws(LinkStateError) -> [DigestEntry] {
        let count = try reader.count("digest", most: Limits.meshRelays, least: 20)
        var entries: [DigestEntry] = []
        for _ in 0..<count {
            let origin = try reader.nodeName("origin")
            let stamp = Advertisement.Stamp(boot: try reader.word("boot"), sequence: try reader.word("sequence"))
            guard entries.last.map({ $0.origin < origin }) ?? true else { throw .outOfOrder("origins") }
            entries.append(DigestEntry(origin: origin, stamp: stamp))
        }
        return entries
    }

    private static func request(_ reader: inout WireReader) throws(LinkStateError) -> [NodeName] {
        let count = try reader.count("request", most: Limits.meshRelays, least: 4)
        var origins: [NodeName] = []
        for _ in 0..<count {
            let origin = try reader.nodeName("origin")
            guard origins.last.map({ $0 < origin }) ?? true else { throw .outOfOrder("origins") }
            origins.append(origin)
        }
        return origins
    }
}

extension SignedAdvertisement {
    fileprivate func append(to writer: inout WireWriter) {
        writer.append(word: UInt32(clamping: age.wholeMilliseconds))
        writer.append(raw: signature)
        writer.append(word: UInt16(certificate.count))
        writer.append(raw: certificate)
        writer.append(word: UInt16(bytes.count))
        writer.append(raw: bytes)
    }

    fileprivate init(_ reader: inout WireReader) throws(LinkStateError) {
        let age: UInt32 = try reader.word("age")
        let signature = try reader.raw(Limits.advertisementSignatureBytes, "signature")
        let size = try reader.count("certificate", most: Limits.advertisementCertificateBytes, least: 1)
        let certificate = try reader.raw(size, "certificate")
        let length = try reader.count("advertisement", most: Limits.advertisementBytes, least: 1)
        self.init(
            age: .milliseconds(Int64(age)), signature: signature, certificate: certificate,
            bytes: try reader.raw(length, "advertisement"))
    }
}

extension LinkStateMessage {
    /// Packs advertisements into as few messages as their sizes allow.
    static func messages(with list: [SignedAdvertisement]) -> [[UInt8]] {
        let room = Limits.linkStateMessageBytes - 4
        var messages: [[UInt8]] = []
        var batch: [SignedAdvertisement] = []
        var used = 0
        for signed in list {
            if used + signed.encodedCount > room, !batch.isEmpty {
                messages.append(LinkStateMessage.advertisements(batch).encoded())
                batch.removeAll()
                used = 0
            }
            batch.append(signed)
            used += signed.encodedCount
        }
        if !batch.isEmpty { messages.append(LinkStateMessage.advertisements(batch).encoded()) }
        return messages
    }
}
