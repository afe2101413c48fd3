import Agent
import Glibc

/// Steps on the names in directories, which must be made durable by themselves. The system's own (``Directory``) but in
/// tests, which look on.
protocol DirectoryNames {
    /// Makes one directory; no error where another has just made it.
    func make(_ path: String) throws(ConnectorError)
    /// Makes names in a directory durable.
    func synchronize(_ path: String) throws(ConnectorError)
    func rename(_ from: String, to target: String) throws(ConnectorError)
}

struct Directory: DirectoryNames {
    func make(_ path: String) throws(ConnectorError) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw .system("cannot create", path) }
    }

    func synchronize(_ path: String) throws(ConnectorError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("cannot open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("cannot make durable", path) }
    }

    func rename(_ from: String, to target: String) throws(ConnectorError) {
        guard Glibc.rename(from, target) == 0 else { throw .system("cannot rename '\(from)' to", target) }
    }

    /// nil for a name without a slash and for the root.
    static func parent(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        if slash == path.startIndex { return path == "/" ? nil : "/" }
        return String(path[..<slash])
    }
}

extension DirectoryNames {
    /// Creates a directory and those above it, where they are missing, durable when it comes back. One that is there may
    /// be of a process that was killed before it made that durable, so it is made so now; whoever may not read the
    /// directory above has not made this one.
    func create(_ path: String) throws(ConnectorError) {
        guard let parent = Directory.parent(of: path) else { return }
        if try FileStatus.at(path) != nil {
            do throws(ConnectorError) { try synchronize(parent) } catch {
                guard access(parent, R_OK) != 0, errno == EACCES else { throw error }
            }
            return
        }
        // First those above: one that is there is then known to lie in durable ones.
        try create(parent)
        try make(path)
        try synchronize(parent)
    }
}
