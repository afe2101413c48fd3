import Agent
import Glibc

extension FilesSource {
    /// Notes which files have arrived, and deletes or moves them where the job says so.
    public func acknowledge(_ checkpoint: Checkpoint) throws(ConnectorError) {
        guard settings.afterwards != .keep else { return }
        arrived = try FilesCheckpoint(checkpoint).entries.filter { $0.isComplete || $0.offset == $0.size }
        try tidyUp()
    }

    /// Files that are still being written stay until they are at rest: what comes is collected first.
    func tidyUp() throws(ConnectorError) {
        var left: [FileProgress] = []
        for entry in arrived {
            guard let status = try FileStatus.at(listing.path(of: entry.name)), entry.isSameFile(as: status) else {
                continue
            }
            guard entry.size == status.size, settings.mode != .whole || entry.isUntouched(status) else { continue }
            if isAtRest(entry.name, status) { try remove(entry.name) } else { left.append(entry) }
        }
        arrived = left
    }

    private func remove(_ name: String) throws(ConnectorError) {
        let path = listing.path(of: name)
        guard settings.afterwards == .move else {
            guard unlink(path) == 0 || errno == ENOENT else { throw .system("cannot delete", path) }
            return
        }
        let target = try freeName(for: listing.path(of: settings.moveTo) + "/" + name)
        try Directory().create(Directory.parent(of: target) ?? "/")
        try Directory().rename(path, to: target)
    }

    /// A file moved earlier is not overwritten: the next one of its name gets a number.
    private func freeName(for path: String) throws(ConnectorError) -> String {
        for number in 0..<100_000 {
            let candidate = number == 0 ? path : "\(path).\(number)"
            if try FileStatus.at(candidate) == nil { return candidate }
        }
        throw ConnectorError(.configuration, "too many files named '\(path)'; clear the directory")
    }
}
