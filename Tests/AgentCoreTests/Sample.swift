import Envelope

/// Values that tests need and do not care about.
enum Sample {
    static let now = Instant(nanoseconds: 1_000_000_000_000)
    static let destination = NodeID(Bytes16(low: 2, high: 0xB))

    static func stream(_ number: UInt64) -> StreamID { StreamID(Bytes16(low: number, high: 0x5)) }
}
