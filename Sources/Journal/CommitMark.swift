/// The payload of a commit record.
struct CommitMark: Equatable {
    var number: UInt64
    /// The last commit known durable when this one was written.
    var acknowledged: UInt64
    var spanStart: UInt32
    var records: UInt32
    /// Place of the commit before it in the same segment, 0 for the first.
    var previous: UInt32
    var flags: UInt32
    /// Checksum over the header checksums of the span, in order.
    var digest: UInt32

    var continues: Bool { flags & Layout.commitContinues != 0 }

    var isContinued: Bool { flags & Layout.commitContinued != 0 }

    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.set(0, number)
        bytes.set(8, acknowledged)
        bytes.set(16, spanStart)
        bytes.set(20, records)
        bytes.set(24, previous)
        bytes.set(28, flags)
        bytes.set(32, digest)
        bytes.set(36, UInt32(0))
    }

    /// nil where it is not a commit's.
    static func read(_ bytes: UnsafeRawBufferPointer) -> CommitMark? {
        guard bytes.count == Layout.commitPayload else { return nil }
        let mark = CommitMark(
            number: bytes.word(0, as: UInt64.self), acknowledged: bytes.word(8, as: UInt64.self),
            spanStart: bytes.word(16, as: UInt32.self), records: bytes.word(20, as: UInt32.self),
            previous: bytes.word(24, as: UInt32.self), flags: bytes.word(28, as: UInt32.self),
            digest: bytes.word(32, as: UInt32.self))
        return max(mark.number, mark.acknowledged) < Layout.greatestNumber ? mark : nil
    }
}

/// Two numbers of a release record (first and last lsn) or an end record (segment and place).
struct NumberPair: Hashable {
    var first: UInt64
    var second: UInt64

    static func read(_ bytes: UnsafeRawBufferPointer) -> [NumberPair] {
        stride(from: 0, to: bytes.count / 16 * 16, by: 16).map {
            NumberPair(first: bytes.word($0, as: UInt64.self), second: bytes.word($0 + 8, as: UInt64.self))
        }
    }
}
