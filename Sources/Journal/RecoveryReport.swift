/// Bytes that were committed once and cannot be read any more.
public struct DamagedRecord: Hashable, Sendable, CustomStringConvertible {
    /// The segment file's name.
    public var segment: String
    /// Place and length in the file of what is lost.
    public var offset: Int
    public var bytes: Int
    /// The record, where its header is still readable.
    public var lsn: LSN?
    public var kind: RecordKind?

    public init(segment: String, offset: Int, bytes: Int, lsn: LSN? = nil, kind: RecordKind? = nil) {
        self.segment = segment
        self.offset = offset
        self.bytes = bytes
        self.lsn = lsn
        self.kind = kind
    }

    public var description: String {
        let record = lsn.map { ", record \($0)" } ?? ""
        return "\(segment): \(bytes) bytes at \(offset) are damaged\(record)"
    }
}

/// The end of a segment that no commit ever confirmed; it was left out.
public struct TornTail: Hashable, Sendable, CustomStringConvertible {
    public var segment: String
    /// Where the valid records end.
    public var offset: Int
    /// Readable records behind it that were left out.
    public var records: Int
    /// True where the commit record is there but not all it speaks of: a crash during the commit, or damage to
    /// the very last commit before a crash. Nothing tells the two apart.
    public var isUncertain: Bool

    public init(segment: String, offset: Int, records: Int, isUncertain: Bool) {
        self.segment = segment
        self.offset = offset
        self.records = records
        self.isUncertain = isUncertain
    }

    public var description: String {
        "\(segment): an unfinished commit at \(offset) was cut, \(records) whole records with it"
            + (isUncertain ? "; it may have been finished and damaged later" : "")
    }
}

/// What opening a journal found.
public struct RecoveryReport: Hashable, Sendable {
    /// Records that are live, and the bytes they take.
    public var records = 0
    public var liveBytes = 0
    public var segments = 0
    /// Records whose release was found.
    public var released = 0
    public var damage: [DamagedRecord] = []
    public var tornTails: [TornTail] = []
    /// Files in the directory that are not the journal's own. They are left alone.
    public var unknownFiles: [String] = []
    /// Files set aside because something in them was damaged. They are left alone; remove them by hand.
    public var damagedFiles: [String] = []
    /// Live records of kinds the owner did not name, by kind. They are kept.
    public var unknownKinds: [RecordKind: Int] = [:]

    public init() {}

    /// True where nothing needs a person's attention.
    public var isClean: Bool {
        damage.isEmpty && tornTails.isEmpty && unknownFiles.isEmpty && damagedFiles.isEmpty && unknownKinds.isEmpty
    }
}
