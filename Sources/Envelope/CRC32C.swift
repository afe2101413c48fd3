import CChecksum

/// The checksum against accidents (CRC-32C, Castagnoli; RFC 3720 appendix B.4). It is no defence against a
/// person; that is the task of the sealing.
public enum CRC32C {
    /// Checksum of the bytes from the beginning.
    @inlinable
    public static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        gr_crc32c(0, bytes.baseAddress, bytes.count)
    }

    @inlinable
    public static func checksum(of bytes: RawSpan) -> UInt32 { extend(0, bytes) }

    public static func checksum(of bytes: [UInt8]) -> UInt32 { extend(0, bytes) }

    /// Checksum of what gave `previous` followed by `bytes`, as if both lay in one piece.
    @inlinable
    public static func extend(_ previous: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        gr_crc32c(previous, bytes.baseAddress, bytes.count)
    }

    @inlinable
    public static func extend(_ previous: UInt32, _ bytes: RawSpan) -> UInt32 {
        bytes.withUnsafeBytes { gr_crc32c(previous, $0.baseAddress, $0.count) }
    }

    public static func extend(_ previous: UInt32, _ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { extend(previous, $0) }
    }

    /// The same by tables alone, for processors without the instruction. Public so that a test compares both.
    public static func portable(_ previous: UInt32 = 0, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        gr_crc32c_portable(previous, bytes.baseAddress, bytes.count)
    }
}
