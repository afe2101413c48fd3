import Envelope

/// What a files source collects and how.
public struct FilesSourceSettings: Hashable, Sendable {
    public enum Mode: String, CaseIterable, CustomStringConvertible, Sendable {
        /// Each line is a record.
        case lines
        /// Each row is a record; the first row of a file is its header.
        case csv
        /// Each file travels whole, in chunks.
        case whole

        public var description: String { rawValue }
    }

    /// What becomes of a file whose every byte has arrived.
    public enum Afterwards: String, CaseIterable, CustomStringConvertible, Sendable {
        case keep
        case delete
        case move

        public var description: String { rawValue }
    }

    /// The directory, without a slash at its end.
    public var directory: String
    /// A glob on the file's name; on its path below the directory where it holds a slash.
    public var pattern = "*"
    public var isRecursive = false
    public var mode: Mode
    /// A file is at rest once neither size nor time of change has moved for so long.
    public var stableFor = Duration.seconds(2)
    /// Bytes of a chunk of a whole file, at most ``largestChunk``.
    public var chunkBytes = 1 << 20
    /// Between the fields of a row.
    public var separator = UInt8(ascii: ",")
    /// The column whose value is the record's key; csv only.
    public var keyColumn: String?
    /// The column that says when the row was so; csv only. Without it the file's time of change is taken.
    public var timeColumn: String?
    public var timeFormat = TimeFormat.iso8601
    public var afterwards = Afterwards.keep
    /// Where moved files go, below the directory.
    public var moveTo = "done"

    /// 8 MiB, so that a chunk fits a batch with room to spare.
    public static let largestChunk = 8 << 20
    /// Bytes of one line or row. A longer one is most likely a binary file.
    public static let longestRecord = 8 << 20

    public init(directory: String, mode: Mode) {
        self.directory = directory
        self.mode = mode
    }

    /// Splits a path into a directory and a pattern where it names a file rather than a directory.
    public init(file: String, mode: Mode) {
        self.init(directory: Directory.parent(of: file) ?? "/", mode: mode)
        let name = file.split(separator: "/").last.map(String.init) ?? file
        pattern = Self.escaped(name)
    }

    /// The name as a glob that matches it and nothing else.
    static func escaped(_ name: String) -> String {
        String(name.flatMap { "*?[]\\".contains($0) ? ["\\", $0] : [$0] })
    }
}

/// The clocks a connector reads; tests hand in their own.
struct Clocks: Sendable {
    var wall: @Sendable () -> WallTime
    var monotonic: @Sendable () -> Instant
}
