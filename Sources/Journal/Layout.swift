/// Places, lengths and words of the format in docs/formats/journal.md.
enum Layout {
    static let version: UInt32 = 1
    /// `GRIDJRNL` read as a little-endian word.
    static let segmentMagic: UInt64 = 0x4C4E_524A_4449_5247
    /// `GRec` read as a little-endian word.
    static let recordMagic: UInt32 = 0x6365_5247
    static let segmentHeader = 64
    static let secondHeader = 2048
    static let firstRecord = 4096
    static let recordHeader = 32
    /// What disks write at a time; memory is laid out for it, the format is not.
    static let block = 4096
    static let commitPayload = 40
    /// Bytes of a whole commit record.
    static let commitRecord = recordHeader + commitPayload
    /// Pairs in one release or end record: a record of 16 KiB, so that damage to one costs little.
    static let pairsPerRecord = 1024

    /// No count on the disk is as great; one that is was made up, and adding to it must not overflow.
    static let greatestNumber = UInt64.max / 2

    static let lockName = "journal.lock"
    static let flagCopied: UInt16 = 1
    static let commitContinues: UInt32 = 1
    static let commitCloses: UInt32 = 2
    static let commitContinued: UInt32 = 4

    /// Bytes a record with this payload takes in a segment.
    @inline(__always)
    static func footprint(_ payload: Int) -> Int { (recordHeader + payload + 7) & ~7 }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    func word<Word: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Word.Type) -> Word {
        Word(littleEndian: loadUnaligned(fromByteOffset: offset, as: Word.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    @inline(__always)
    func set<Word: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _ value: Word) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Word.self)
    }
}
