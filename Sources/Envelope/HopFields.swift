/// What travels beside a header and changes at every hop; nobody authenticates it end to end.
@frozen
public struct HopFields: Hashable, Sendable {
    /// Bytes on the wire: hop limit, three zero bytes, age.
    public static let size = 8

    /// Hops the envelope may still take; at 0 it is parked.
    public var hopLimit: UInt8
    /// Milliseconds since the source made the envelope, counted by the monotonic clocks of those who held it.
    /// Stays at its greatest value (49 days) rather than wrap.
    public var age: UInt32

    @inlinable
    public init(hopLimit: UInt8 = Limits.hops, age: UInt32 = 0) {
        self.hopLimit = hopLimit
        self.age = age
    }

    /// Reads the first ``size`` bytes.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(EnvelopeError) {
        guard bytes.count >= 8 else { throw .truncated(needed: 8, present: bytes.count) }
        guard bytes[1] | bytes[2] | bytes[3] == 0 else { throw .reservedNotZero }
        hopLimit = bytes[0]
        age = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    }

    @inlinable
    public init(_ bytes: RawSpan) throws(EnvelopeError) {
        self = try bytes.withUnsafeBytes { (bytes) throws(EnvelopeError) in try HopFields(bytes) }
    }

    /// Writes ``size`` bytes at the beginning of `bytes`.
    /// - Precondition: `bytes` has room for them.
    @inlinable
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= 8, "hop fields need 8 bytes")
        bytes.storeBytes(of: UInt32(hopLimit).littleEndian, as: UInt32.self)
        bytes.storeBytes(of: age.littleEndian, toByteOffset: 4, as: UInt32.self)
    }

    /// The ``size`` bytes.
    public var encoded: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: HopFields.size) { buffer, count in
            encode(into: UnsafeMutableRawBufferPointer(buffer))
            count = HopFields.size
        }
    }

    /// The same, older by the time it was held here.
    public func aged(by held: Duration) -> HopFields {
        let milliseconds = UInt32(clamping: max(0, held.wholeMilliseconds))
        let (sum, overflow) = age.addingReportingOverflow(milliseconds)
        return HopFields(hopLimit: hopLimit, age: overflow ? .max : sum)
    }

    /// The same after one more hop; nil where none is left.
    public var nextHop: HopFields? {
        hopLimit == 0 ? nil : HopFields(hopLimit: hopLimit - 1, age: age)
    }

    /// Whether an envelope with this lifetime in seconds has lived it out.
    @inlinable
    public func isExpired(lifetime: UInt32) -> Bool {
        UInt64(age) >= UInt64(lifetime) * 1000
    }
}
