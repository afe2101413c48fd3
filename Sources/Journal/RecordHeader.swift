import Envelope

/// What makes a record's checksum valid at one place of one use of a segment file only.
struct SegmentSeal {
    var number: UInt64
    var salt: UInt64
}

/// The 32 bytes before each payload.
struct RecordHeader {
    var length: Int
    var lsn: LSN
    var kind: RecordKind
    var flags: UInt16
    var payloadChecksum: UInt32

    var footprint: Int { Layout.footprint(length) }

    /// Writes everything that is known before the record has its place; ``seal(_:at:by:)`` adds the rest.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.set(0, Layout.recordMagic)
        bytes.set(4, UInt32(length))
        bytes.set(8, lsn.number)
        bytes.set(20, kind.number)
        bytes.set(22, flags)
        bytes.set(24, payloadChecksum)
    }

    /// Binds a written header to its place.
    /// - Returns: the header's checksum.
    static func seal(_ bytes: UnsafeMutableRawBufferPointer, at place: Int, by seal: SegmentSeal) -> UInt32 {
        bytes.set(16, UInt32(truncatingIfNeeded: seal.number))
        let checksum = checksum(UnsafeRawBufferPointer(bytes), at: place, salt: seal.salt)
        bytes.set(28, checksum)
        return checksum
    }

    /// nil where the bytes are not a record of this segment at this place.
    static func read(
        _ bytes: UnsafeRawBufferPointer, at place: Int, by seal: SegmentSeal
    ) -> (header: RecordHeader, checksum: UInt32)? {
        guard bytes.count >= Layout.recordHeader, bytes.word(0, as: UInt32.self) == Layout.recordMagic,
            bytes.word(16, as: UInt32.self) == UInt32(truncatingIfNeeded: seal.number)
        else { return nil }
        let stated = bytes.word(28, as: UInt32.self)
        guard stated == checksum(bytes, at: place, salt: seal.salt) else { return nil }
        let header = RecordHeader(
            length: Int(bytes.word(4, as: UInt32.self)), lsn: LSN(bytes.word(8, as: UInt64.self)),
            kind: RecordKind(bytes.word(20, as: UInt16.self)), flags: bytes.word(22, as: UInt16.self),
            payloadChecksum: bytes.word(24, as: UInt32.self))
        let isSane = header.length <= LogOptions.longestPayload && header.lsn.number < Layout.greatestNumber
        return isSane ? (header, stated) : nil
    }

    private static func checksum(_ bytes: UnsafeRawBufferPointer, at place: Int, salt: UInt64) -> UInt32 {
        let binding = (salt.littleEndian, UInt64(place).littleEndian)
        let start = withUnsafeBytes(of: binding) { CRC32C.checksum(of: $0) }
        return CRC32C.extend(start, UnsafeRawBufferPointer(rebasing: bytes[..<28]))
    }
}
