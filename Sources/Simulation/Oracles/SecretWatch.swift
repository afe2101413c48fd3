import Envelope

/// Looks for secrets in bytes that leave a process: what is written to a connection or a disk must hold no key and no
/// record in the clear, whoever writes it. A relay has none of either in its memory, so it cannot.
///
/// A record's filler (see ``DataLedger``) rises by one step from byte to byte, which nothing else here does; a key is
/// known by eight of its bytes.
final class SecretWatch {
    private var heads: Set<UInt64>
    /// Whether some head has these low bits.
    private var sieve: [Bool]

    /// - Parameter secrets: each of at least eight bytes.
    init(_ secrets: [[UInt8]]) {
        heads = Set(secrets.map { $0.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } })
        sieve = Array(repeating: false, count: 1 << 16)
        for secret in secrets { sieve[Int(Self.low(secret[0], secret[1]))] = true }
    }

    private static func low(_ first: UInt8, _ second: UInt8) -> UInt16 { UInt16(first) | UInt16(second) << 8 }

    /// What is secret in the bytes; nil for nothing.
    func find(in bytes: UnsafeRawBufferPointer) -> String? {
        guard bytes.count > 8 else { return nil }
        let step = SIMD8<UInt8>(repeating: DataLedger.fillerStep)
        for place in 0..<bytes.count - 8 {
            let here = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if sieve[Int(here & 0xFFFF)], heads.contains(here) { return "a key, at byte \(place) of \(bytes.count)" }
            let next = bytes.loadUnaligned(fromByteOffset: place + 1, as: UInt64.self)
            let rise = unsafeBitCast(next, to: SIMD8<UInt8>.self) &- unsafeBitCast(here, to: SIMD8<UInt8>.self)
            if rise == step { return "a record in the clear, at byte \(place) of \(bytes.count)" }
        }
        return nil
    }
}
