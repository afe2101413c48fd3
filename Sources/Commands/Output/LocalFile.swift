import Glibc

/// Files of this machine as the commands read and make them.
enum LocalFile {
    /// - Throws: ``Failure`` with the path and the reason; also for a file larger than the limit.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw last("cannot read \(path)") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            throw Failure("cannot read \(path): it is a directory")
        }
        guard let bytes = Terminal.readAll(descriptor: descriptor, limit: limit) else {
            throw Failure("\(path) is larger than \(Quantity.bytes(UInt64(limit)))")
        }
        return bytes
    }

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Makes a directory and those above it; what it makes is for the owner only.
    static func makeDirectory(_ path: String) throws(Failure) {
        guard !isDirectory(path) else { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeDirectory(String(path[..<slash])) }
        guard mkdir(path, 0o700) == 0 || (errno == EEXIST && isDirectory(path)) else {
            throw last("cannot make the directory \(path)")
        }
    }

    /// Makes the directory that a file is to lie in.
    static func makeParent(of path: String) throws(Failure) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        try makeDirectory(String(path[..<slash]))
    }

    /// - Throws: ``Failure`` where one of the names is taken, before anything is made.
    static func refuse(_ paths: [String], unless replaces: Bool) throws(Failure) {
        guard !replaces, let taken = paths.first(where: exists) else { return }
        throw Failure("\(taken) is there already", hint: "choose another place, or give --force to replace it")
    }

    /// Writes a whole file, durable before it has its name, so that nobody ever reads half of it.
    /// - Parameter replaces: false: fails where the name is taken.
    static func write(
        _ bytes: [UInt8], to path: String, mode: mode_t, replaces: Bool
    ) throws(Failure) {
        try refuse([path], unless: replaces)
        let temporary = path + ".new-\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw last("cannot write \(temporary)") }
        do throws(Failure) {
            defer { close(descriptor) }
            try writeAll(bytes, descriptor, temporary)
            guard fsync(descriptor) == 0 else { throw last("cannot write \(temporary)") }
        } catch {
            unlink(temporary)
            throw error
        }
        // A link fails where the name was taken meanwhile; a rename would not.
        let isNamed = replaces ? rename(temporary, path) == 0 : link(temporary, path) == 0
        let failure = isNamed ? nil : last("cannot make \(path)")
        if !replaces || failure != nil { unlink(temporary) }
        if let failure { throw failure }
    }

    static func writeAll(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw last("cannot write \(path)") }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes a new name durable. Where a file system cannot, such as some of removable media, it was written all the same.
    static func synchronizeDirectory(of path: String) throws(Failure) {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw last("cannot make \(path) durable") }
    }

    static func last(_ doing: String) -> Failure { Failure("\(doing): \(String(cString: strerror(errno)))") }
}
