import Crypto
import Envelope
import Keyring
import Testing

/// Two nodes that may speak with each other, a third that may not, and fixed keys.
enum Fixture {
    static let now = WallTime(milliseconds: 1_800_000_000_000)
    static let lifetime: UInt32 = 86_400
    static let stream = StreamID(Bytes16(0xA0...0xAF))

    static func name(_ text: String) throws -> NodeName { try NodeName(text) }

    static func life() throws -> KeyLife {
        let day: Int64 = 86_400_000
        return try #require(
            KeyLife(
                created: WallTime(milliseconds: now.milliseconds - day + 250),
                notBefore: WallTime(milliseconds: now.milliseconds - day),
                softEnd: WallTime(milliseconds: now.milliseconds + day),
                hardEnd: WallTime(milliseconds: now.milliseconds + 3 * day)))
    }

    static func record(generation: UInt64 = 1, state: KeyState = .active, salt: UInt8 = 0) throws -> KeyRecord {
        try KeyRecord(
            generation: generation, creator: name("cloud-a/keeper"), life: life(), state: state,
            keyRoot: SecretBytes(copying: (0..<32).map { $0 ^ salt }),
            codeRoot: SecretBytes(copying: (32..<64).map { $0 ^ salt }))
    }

    static func keychain(_ holder: String, with peer: String, _ records: [KeyRecord]) throws -> Keychain {
        var keychain = Keychain(holder: try name(holder))
        for record in records { try keychain.insert(record.grant(to: name(holder), for: [name(peer)])) }
        return keychain
    }

    static func sender(_ records: [KeyRecord]? = nil) throws -> Keychain {
        try keychain("plant-a/agent", with: "plant-b/agent", records ?? [record()])
    }

    static func receiver(_ records: [KeyRecord]? = nil) throws -> Keychain {
        try keychain("plant-b/agent", with: "plant-a/agent", records ?? [record()])
    }

    static func sealer(_ records: [KeyRecord]? = nil, stream: StreamID = stream) throws -> Sealer {
        let (from, to) = (try sender(records), try receiver(records))
        let keys = try #require(from.sealing(for: to.holderID, at: now))
        return Sealer(keys, from: from.holderID, to: to.holderID, stream: stream)
    }

    static func seal(
        _ batch: [UInt8], sequence: UInt64 = 1, stream: StreamID = stream, compression: Compression = .none,
        kind: Header.Kind = .data, records: [KeyRecord]? = nil
    ) throws -> [UInt8] {
        var sealer = try sealer(records, stream: stream)
        var envelope: [UInt8] = []
        try sealer.seal(
            batch, kind: kind, sequence: Sequence(sequence), floor: Sequence(1), created: now, lifetime: lifetime,
            lane: .live, compression: compression, into: &envelope)
        return envelope
    }
}

/// Swaps in a header that is right in itself, as an attacker can write one.
func rewriting(_ envelope: [UInt8], _ change: (inout Header) -> Void) throws -> [UInt8] {
    var header = try Header(envelope)
    change(&header)
    return header.encoded + envelope[Header.size...]
}
