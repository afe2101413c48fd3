import Envelope
import Journal
import Node
import Platform
import Synchronization

/// Names of nodes that came with carried envelopes, kept over a restart: without them flows that name zones cannot be
/// checked. Used on the admin server's threads, so that the reactor does not wait for the disk.
final class NamesFile: Sendable {
    private static let bytes = Limits.taughtNames * (2 * Limits.nameLength + 2)

    private let path: String
    private let log: Log
    /// How many names the file has: they only become more.
    private let saved = Mutex(0)

    init(directory: String, log: Log) {
        path = directory + "/names"
        self.log = log
    }

    func load() -> [NodeName] {
        do throws(FileError) {
            guard try Files.attributes(of: path) != nil else { return [] }
            let text = String(decoding: try Files.read(path, limit: Self.bytes), as: UTF8.self)
            let names = text.split(separator: "\n").compactMap { try? NodeName($0) }
            saved.withLock { $0 = names.count }
            return names
        } catch {
            log.warning("names.unread", "names that came with carried envelopes are not known: \(error)")
            return []
        }
    }

    func save(_ names: [NodeName]) {
        saved.withLock { saved in
            guard names.count > saved else { return }
            do throws(FileError) {
                try Files.replace(path, with: Array(names.map { "\($0)\n" }.joined().utf8))
                saved = names.count
            } catch {
                log.warning(
                    "names.unsaved", "names that came with carried envelopes are forgotten at a restart: \(error)")
            }
        }
    }
}
