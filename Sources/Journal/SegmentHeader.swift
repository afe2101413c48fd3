import Envelope

/// The first 64 bytes of a segment.
struct SegmentHeader: Equatable {
    var segmentBytes: UInt32
    var number: UInt64
    var salt: UInt64
    var nextLSN: LSN
    /// The last commit known durable when the segment was begun.
    var acknowledged: UInt64
    var previous: UInt64
    var previousEnd: UInt32

    enum Reading: Equatable {
        case header(SegmentHeader)
        case unknownVersion(UInt32)
        case invalid
    }

    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.set(0, Layout.segmentMagic)
        bytes.set(8, Layout.version)
        bytes.set(12, segmentBytes)
        bytes.set(16, number)
        bytes.set(24, salt)
        bytes.set(32, nextLSN.number)
        bytes.set(40, acknowledged)
        bytes.set(48, previous)
        bytes.set(56, previousEnd)
        bytes.set(60, CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: bytes[..<60])))
    }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        guard bytes.count >= Layout.segmentHeader, bytes.word(0, as: UInt64.self) == Layout.segmentMagic,
            bytes.word(60, as: UInt32.self) == CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: bytes[..<60]))
        else { return .invalid }
        let version = bytes.word(8, as: UInt32.self)
        guard version == Layout.version else { return .unknownVersion(version) }
        let header = SegmentHeader(
            segmentBytes: bytes.word(12, as: UInt32.self), number: bytes.word(16, as: UInt64.self),
            salt: bytes.word(24, as: UInt64.self), nextLSN: LSN(bytes.word(32, as: UInt64.self)),
            acknowledged: bytes.word(40, as: UInt64.self), previous: bytes.word(48, as: UInt64.self),
            previousEnd: bytes.word(56, as: UInt32.self))
        let isSane = max(header.nextLSN.number, header.acknowledged) < Layout.greatestNumber
        return isSane ? .header(header) : .invalid
    }
}
