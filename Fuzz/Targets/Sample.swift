import Crypto
import Envelope
import Keyring

/// Values that targets and seeds are made of. Nothing here is random.
enum Sample {
    static let now = WallTime(milliseconds: 1_800_000_000_000)
    static let day: Int64 = 86_400_000

    /// A name written in this file.
    static func name(_ text: String) -> NodeName {
        guard let name = try? NodeName(text) else { fatalError("'\(text)' is no name") }
        return name
    }

    static let here = name("plant-b/agent")
    static let peer = name("plant-a/agent")

    static let stream = StreamID(Bytes16(low: 5, high: 6))

    static func header(
        kind: Header.Kind = .data, from source: NodeID = NodeID(of: peer), to destination: NodeID = NodeID(of: here),
        sequence: UInt64 = 1, body: Int = 0
    ) -> Header {
        Header(
            kind: kind, lane: .live, source: source, destination: destination,
            stream: StreamID(Bytes16(low: 1, high: 2)), sequence: Sequence(sequence), floor: Sequence(1), created: now,
            lifetime: 86_400, key: KeyID(Bytes16(low: 3, high: 4)), bodyLength: UInt32(body))
    }

    static func envelope(to destination: NodeID = NodeID(of: here), sequence: UInt64 = 1, body: [UInt8]) -> [UInt8] {
        header(to: destination, sequence: sequence, body: body.count).encoded + body
    }

    static func batch(_ count: Int) -> [UInt8] {
        guard var builder = try? RecordBatch.Builder(topic: "temperature") else { fatalError("a topic") }
        for index in 0..<count {
            let headers = (0..<index % 3).map { RecordHeader("name-\($0)", $0 == 1 ? nil : [1, 2]) }
            let time = WallTime(milliseconds: now.milliseconds + Int64(index * index))
            let value: [UInt8]? = index % 4 == 3 ? nil : Array("value \(index)".utf8)
            guard
                (try? builder.append(
                    key: index % 2 == 0 ? nil : Array("key".utf8), value: value, headers: headers, at: time,
                    historical: index > 4)) != nil
            else { fatalError("a record fits") }
        }
        return builder.finish()
    }

    static let record = record(at: now)

    /// A key record that is active for a day before and after.
    static func record(at now: WallTime) -> KeyRecord {
        let life = KeyLife(
            created: now, notBefore: WallTime(milliseconds: now.milliseconds - day),
            softEnd: WallTime(milliseconds: now.milliseconds + day),
            hardEnd: WallTime(milliseconds: now.milliseconds + 3 * day))
        guard let life,
            let record = try? KeyRecord(
                generation: 1, creator: name("cloud-a/keeper"), life: life,
                keyRoot: SecretBytes(copying: [UInt8](0..<32)), codeRoot: SecretBytes(copying: [UInt8](32..<64)))
        else { fatalError("a key record") }
        return record
    }

    static func keychain(of holder: NodeName, for peer: NodeName) -> Keychain {
        var keychain = Keychain(holder: holder)
        guard (try? keychain.insert(record.grant(to: holder, for: [peer]))) != nil else { fatalError("a grant") }
        return keychain
    }

    static func sealed(
        _ batch: [UInt8], kind: Header.Kind = .data, stream: UInt64 = 5, compression: Compression = .none
    ) -> [UInt8] {
        guard let keys = keychain(of: peer, for: here).sealing(for: NodeID(of: here), at: now) else {
            fatalError("a key that is active")
        }
        var sealer = Sealer(
            keys, from: NodeID(of: peer), to: NodeID(of: here), stream: StreamID(Bytes16(low: stream, high: 6)))
        var envelope: [UInt8] = []
        guard
            (try? sealer.seal(
                batch.span.bytes, kind: kind, sequence: Sequence(1), floor: Sequence(1), created: now, lifetime: 86_400,
                lane: .live, compression: compression, into: &envelope)) != nil
        else { fatalError("a batch that fits") }
        return envelope
    }
}
