import Envelope

/// What a journal record of an envelope begins with: how old it was when it was written, and when that was.
///
/// 32 bytes, little-endian: hop fields (8), time on the boot clock in ns (8), the boot's id (16). Age goes on over a
/// restart of the process; a restart of the machine stops it, since no clock then tells how long it was off. So
/// nothing expires before its time.
public struct StoredEnvelope: Sendable {
    public static let prefixBytes = 32
    public static let recordKind: UInt16 = 1

    public var hop: HopFields
    public var storedAt: Instant
    public var boot: Bytes16

    public init(hop: HopFields, storedAt: Instant, boot: Bytes16) {
        self.hop = hop
        self.storedAt = storedAt
        self.boot = boot
    }

    public init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard let hopBytes = reader.run(HopFields.size), let hop = try? HopFields(hopBytes),
            let time = reader.integer(Int64.self), time >= 0, let boot = reader.bytes16()
        else { return nil }
        self.init(hop: hop, storedAt: Instant(nanoseconds: time), boot: boot)
    }

    public func append(to bytes: inout ByteQueue) {
        hop.encode(into: bytes.reserve(HopFields.size))
        bytes.commit(HopFields.size)
        bytes.append(storedAt.nanoseconds)
        bytes.append(boot)
    }

    /// Hop fields as of now. Two boots of which the kernel does not tell the id are not taken for one.
    public func hop(at now: Instant, boot current: Bytes16) -> HopFields {
        boot == current && boot != .unknownBoot && now > storedAt ? hop.aged(by: now - storedAt) : hop
    }
}

extension Bytes16 {
    /// Stands for a boot of a machine that does not tell its id.
    public static var unknownBoot: Bytes16 { Bytes16(low: 0, high: 0) }
}
