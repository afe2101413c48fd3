import Agent
import Glibc

/// A regular file found below a directory.
struct ListedFile: Equatable {
    /// Path below the directory, parts joined by "/".
    var name: String
    var status: FileStatus
}

/// Finds the regular files below a directory.
struct FileListing {
    /// Directories deep; a share linked into itself ends here.
    static let depth = 32
    /// Files looked at in one listing; past it the operator must split the directory.
    static let files = 1_000_000

    var directory: String
    /// A glob on the file's name; on its path below the directory where the pattern holds a slash.
    var pattern: String
    var isRecursive: Bool
    /// A path below the directory that is not looked into.
    var excluded: String?

    /// All files in order of their path's bytes, also those that do not match the pattern.
    ///
    /// Names beginning with a dot are left out unless the pattern begins with one: they are other programs' unfinished files.
    /// Symbolic links to files are followed, links to directories are not.
    func everything() throws(ConnectorError) -> [ListedFile] {
        var found: [ListedFile] = []
        try collect(into: &found, below: "", depth: 0)
        return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    func matches(_ name: String) -> Bool {
        let subject = pattern.contains("/") ? name : String(name.split(separator: "/").last ?? "")
        return fnmatch(pattern, subject, FNM_PATHNAME | FNM_PERIOD) == 0
    }

    func path(of name: String) -> String { directory + "/" + name }

    private func collect(into found: inout [ListedFile], below prefix: String, depth: Int) throws(ConnectorError) {
        let path = prefix.isEmpty ? directory : self.path(of: prefix)
        guard let handle = opendir(path) else {
            // A directory below may vanish between listing and opening.
            if !prefix.isEmpty && errno == ENOENT { return }
            throw .system("cannot list", path)
        }
        defer { closedir(handle) }
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." || isHidden(name) { continue }
            try consider(prefix.isEmpty ? name : prefix + "/" + name, into: &found, depth: depth)
        }
    }

    private func consider(_ name: String, into found: inout [ListedFile], depth: Int) throws(ConnectorError) {
        guard name != excluded, let status = try FileStatus.at(path(of: name)) else { return }
        switch status.kind {
        case .regular:
            guard found.count < Self.files else {
                throw ConnectorError(.configuration, "'\(directory)' holds more than \(Self.files) files; split it")
            }
            found.append(ListedFile(name: name, status: status))
        case .directory:
            let isLink = FileStatus.ofLink(path(of: name))?.kind != .directory
            if isRecursive && !isLink && depth < Self.depth {
                try collect(into: &found, below: name, depth: depth + 1)
            }
        case .other:
            break
        }
    }

    private func isHidden(_ name: String) -> Bool { name.hasPrefix(".") && !pattern.hasPrefix(".") }
}
