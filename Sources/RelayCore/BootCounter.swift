import Journal

#if CANARIES
    import Envelope
#endif

/// Counts the starts of a relay in a file, so that its advertisements are newer than those of the start before.
/// Durable before it is used.
public struct BootCounter<Files: FileSystem> {
    private let files: Files
    private let directory: String

    /// - Parameter directory: must be there.
    public init(_ files: Files, directory: String) {
        self.files = files
        self.directory = directory
    }

    private var path: String { directory + "/boot" }

    /// One more than at the last start; 1 where nothing is stored or what is stored is no number: the mesh then tells
    /// (it knows the latest).
    /// - Throws: where it could not be made durable; the relay must not start then.
    public func next() throws(FileError) -> UInt64 {
        #if CANARIES
            if Canary.isPlanted(.bootNotPersisted) { return 1 }
        #endif
        let number = try stored() + 1
        try save(number)
        return number
    }

    /// All or nothing, durable when it comes back.
    public func save(_ number: UInt64) throws(FileError) {
        let temporary = path + ".new"
        // Left by a start that was killed here.
        if try files.attributes(of: temporary) != nil { try files.remove(temporary) }
        let handle = try files.open(temporary, .create(permissions: 0o600))
        defer { files.close(handle) }
        let written = Array("\(number)\n".utf8).withUnsafeBytes { bytes in
            Result { () throws(FileError) in try files.write(handle, bytes, at: 0) }
        }
        try written.get()
        try files.synchronize(handle)
        try files.rename(temporary, to: path)
        try files.synchronizeDirectory(directory)
    }

    private func stored() throws(FileError) -> UInt64 {
        guard try files.attributes(of: path) != nil else { return 0 }
        let handle = try files.open(path, .read)
        defer { files.close(handle) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let read = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(FileError) in try files.read(handle, into: buffer, at: 0) }
        }
        let count = try read.get()
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }
        let number = UInt64(String(decoding: line, as: UTF8.self)) ?? 0
        // No relay starts that often: the file is damaged.
        return number < 1 << 62 ? number : 0
    }
}
