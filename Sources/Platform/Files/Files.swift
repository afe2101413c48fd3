public import Journal

/// Small files, read and written whole: configuration, marks, certificates.
public enum Files {
    private static let system = PosixFileSystem()

    /// The whole file.
    /// - Parameter limit: bytes the file may have.
    /// - Throws: a ``FileError``; of kind `tooLong` where the file has more than `limit`.
    public static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        try system.readWhole(path, limit: limit)
    }

    /// Puts `bytes` in the place of the file, all or nothing, durable when it comes back. A reader sees the old
    /// file or the new one.
    /// - Parameter mode: permissions of the new file.
    public static func replace(_ path: String, with bytes: [UInt8], mode: UInt16 = 0o600) throws(FileError) {
        try system.replaceWhole(path, with: bytes, mode: mode)
    }

    /// Adds `bytes` to the end of the file, which is made where there is none, durable when it comes back.
    /// - Parameter mode: permissions of a new file; an old one keeps its own.
    /// - Returns: the file's length afterwards.
    @discardableResult
    public static func append(_ path: String, _ bytes: [UInt8], mode: UInt16 = 0o600) throws(FileError) -> UInt64 {
        try system.appendWhole(path, bytes, mode: mode)
    }

    /// Makes the directory and those above it, as far as they are missing, durable when it comes back, also those
    /// that a killed process has made.
    public static func createDirectory(_ path: String, mode: UInt16 = 0o700) throws(FileError) {
        try system.createDirectories(path, mode: mode)
    }

    /// Removes the file, durable when it comes back. No error where there is none.
    public static func remove(_ path: String) throws(FileError) { try system.removeDurably(path) }

    /// nil where nothing has this name.
    public static func attributes(of path: String) throws(FileError) -> FileAttributes? {
        try system.attributes(of: path)
    }

    /// The directory a path lies in: `.` for a bare name.
    public static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
