import Envelope

/// Looks for secrets in bytes that leave a process: what is written to a connection or a disk must hold no key and no
/// record in the clear, whoever writes it. A relay has none of either in its memory, so it cannot.
///
/// A record's filler (see ``DataLedger``) rises by one step from byte to byte, which nothing else here does; a key is
/// known by eight of its bytes.
final class SecretWatch {
    /// A key, and the nodes that may know it: no others may hold it, and none may write it down.
    struct Secret {
        /// At least eight.
        var bytes: [UInt8]
        var knownTo: [NodeName]
    }

    /// Bytes that say what they are: those of a key, and one more for the rise of a filler.
    static let longest = 9

    /// Who may know the key that begins so.
    private var heads: [UInt64: [NodeName]] = [:]
    /// Whether some head has these low bits.
    private var sieve: [Bool]

    init(_ secrets: [Secret]) {
        sieve = Array(repeating: false, count: 1 << 16)
        for secret in secrets {
            heads[secret.bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }] = secret.knownTo
            sieve[Int(Self.low(secret.bytes[0], secret.bytes[1]))] = true
        }
    }

    private static func describe(_ known: [NodeName]) -> String {
        known.isEmpty ? "a root key" : "the key of " + known.map(\.description).sorted().joined(separator: " and ")
    }

    private static func low(_ first: UInt8, _ second: UInt8) -> UInt16 { UInt16(first) | UInt16(second) << 8 }

    /// What is secret in the bytes; nil for nothing.
    func find(in bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count >= 8 else { return nil }
        let last = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
        if let known = heads[last] { return "\(Self.describe(known)), at the end of \(bytes.count) bytes" }
        let step = SIMD8<UInt8>(repeating: DataLedger.fillerStep)
        for place in 0..<bytes.count - 8 {
            let here = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if sieve[Int(here & 0xFFFF)], let known = heads[here] {
                return "\(Self.describe(known)), at byte \(place) of \(bytes.count)"
            }
            let next = bytes.loadUnaligned(fromByteOffset: place + 1, as: UInt64.self)
            let rise = unsafeBitCast(next, to: SIMD8<UInt8>.self) &- unsafeBitCast(here, to: SIMD8<UInt8>.self)
            if rise == step { return "a record in the clear, at byte \(place) of \(bytes.count)" }
        }
        return nil
    }
}
