/// The names of the record headers that go with files; docs/connectors.md tells what they mean.
enum FileHeaderName {
    /// Path below the source's directory.
    static let path = "path"
    /// The header row of a CSV file, without its line end.
    static let csvHeader = "csv-header"
    /// The header row's line end, where it is not LF.
    static let csvHeaderEnd = "csv-header-eol"
    /// The record's line end, where it is not LF; empty where the file ends without one.
    static let lineEnd = "eol"
    /// The record goes on where the one before, which had no line end, stopped.
    static let continues = "continues"
    /// Of a chunk: its place in the file, in bytes, as decimal digits.
    static let offset = "offset"
    /// Of a chunk: bytes of the whole file.
    static let size = "size"
    /// Of a chunk: milliseconds since 1970 of the file's last change.
    static let modified = "mtime"
    /// Of the last chunk: SHA-256 of the whole file in hexadecimal.
    static let hash = "sha256"
}
