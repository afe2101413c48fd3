/// What a files sink writes and how.
public struct FilesSinkSettings: Hashable, Sendable {
    public enum Mode: String, CaseIterable, CustomStringConvertible, Sendable {
        /// Records are added to the end of a file.
        case append
        /// Files that were collected whole are put together again.
        case whole

        public var description: String { rawValue }
    }

    public enum Format: String, CaseIterable, CustomStringConvertible, Sendable {
        /// Each value with its line end.
        case lines
        /// As `lines`, under the header row of where the rows came from.
        case csv
        /// Values one behind the other, with nothing between.
        case raw

        public var description: String { rawValue }
    }

    /// Without a slash at its end.
    public var directory: String
    public var mode: Mode
    public var name: OutputTemplate
    public var format: Format

    public init(directory: String, mode: Mode, name: OutputTemplate, format: Format = .lines) {
        self.directory = directory
        self.mode = mode
        self.name = name
        self.format = format
    }
}

/// A point in a sink's work at which a crash must do no harm. Tests cut the work short at each of them.
enum SinkStep: CaseIterable {
    case willCreate, willWrite, willSynchronize, willWriteMarks, willRenameMarks, didRenameMarks, willPublish,
        didPublish
}
