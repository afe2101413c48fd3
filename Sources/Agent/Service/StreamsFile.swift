import AgentCore
import Envelope
import Journal
import Node
import Platform
import Synchronization

/// Keeps an agent's ledger of streams in a file, written on a thread of its own: the reactor does not wait for the disk.
///
/// The ledger is for people, and an old copy of it is a lower bound; so nothing that happens to the file stops the agent.
final class StreamsFile: Sendable {
    /// Between two writings.
    static let period: Duration = .seconds(10)

    private let path: String
    private let log: Log
    private let queue = WorkQueue<StreamLedger>()
    private let thread = Mutex<Threads.Handle?>(nil)

    init(directory: String, log: Log) {
        path = directory + "/streams"
        self.log = log
    }

    /// The ledger as it was saved last; a new one where there is none, or none that can be read.
    func load() -> StreamLedger {
        do throws(FileError) {
            if let ledger = StreamLedger(file: try Files.read(path, limit: StreamLedger.longestFile)) { return ledger }
            setAside("it is damaged")
        } catch  where error.kind == .missing {
            return StreamLedger()
        } catch {
            setAside(error.reason)
        }
        return StreamLedger()
    }

    /// For a person to look at; the next writing would take its place.
    private func setAside(_ reason: String) {
        log.error(
            "streams.unreadable",
            "what was known of streams cannot be read; it is set aside, and 'relayctl reconcile' knows less of them",
            ["file": path, "reason": reason])
        do throws(FileError) { try PosixFileSystem().rename(path, to: path + ".damaged") } catch {
            log.warning("streams.unmoved", "the file cannot be set aside", ["file": path, "reason": error.reason])
        }
    }

    func start() throws(ThreadError) {
        let handle = try Threads.start(name: "streams") { [self] in
            var hasFailed = false
            while let ledgers = queue.takeAll() {
                guard let newest = ledgers.last else { continue }
                do throws(FileError) {
                    try Files.replace(path, with: newest.file)
                    hasFailed = false
                } catch {
                    guard !hasFailed else { continue }
                    hasFailed = true
                    log.warning(
                        "streams.unsaved", "what is known of streams cannot be saved; it is tried again",
                        ["file": path, "reason": error.reason])
                }
            }
        }
        thread.withLock { $0 = handle }
    }

    /// Writes it as soon as the disk is free.
    func save(_ ledger: StreamLedger) { queue.add(ledger) }

    /// Returns once the last one given is written, or cannot be.
    func stop() {
        queue.close()
        thread.withLock { $0 }?.join()
    }
}
