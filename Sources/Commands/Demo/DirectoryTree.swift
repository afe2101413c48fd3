import Glibc

/// Whole directories; links in them are never followed.
enum DirectoryTree {
    /// The names in a directory, sorted; empty where it cannot be read.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func isEmpty(_ path: String) -> Bool { LocalFile.isDirectory(path) && names(in: path).isEmpty }

    /// Every regular file below a directory.
    static func files(below path: String) -> [String] {
        var files: [String] = []
        for name in names(in: path) {
            let entry = path + "/" + name
            switch kind(of: entry) {
            case S_IFDIR: files += self.files(below: entry)
            case S_IFREG: files.append(entry)
            default: break
            }
        }
        return files
    }

    static func remove(_ path: String) {
        guard let kind = kind(of: path) else { return }
        guard kind == S_IFDIR else {
            unlink(path)
            return
        }
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    private static func kind(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
