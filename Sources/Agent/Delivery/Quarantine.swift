import Crypto
import Envelope
import Journal
import Platform
import Synchronization

/// Envelopes that arrived and must not have an effect: one file each, sealed as they came, named by stream, number
/// and content, so that the same bytes again take no more room.
final class Quarantine: Sendable {
    /// Files kept; beyond it envelopes are still refused their effect and counted, but not kept.
    static let files = 1000
    /// Bytes kept in all.
    static let bytes = 256 << 20

    private struct State {
        var files = 0
        var bytes = 0
        var count: UInt64 = 0
    }

    private let directory: String
    private let log: Log
    private let state: Mutex<State>

    /// - Throws: ``FileError`` where the directory cannot be had.
    init(directory: String, log: Log) throws {
        self.directory = directory
        self.log = log
        try Files.createDirectory(directory)
        var held = State()
        for name in try PosixFileSystem().list(directory) {
            guard let attributes = try Files.attributes(of: directory + "/" + name) else { continue }
            held.files += 1
            held.bytes += Int(attributes.bytes)
        }
        state = Mutex(held)
    }

    /// Since the start.
    var count: UInt64 { state.withLock { $0.count } }

    func add(_ envelope: [UInt8], reason: String) {
        let identity = (try? Header(envelope)).map { "\($0.stream)-\($0.sequence)" } ?? "unreadable"
        log.error(
            "quarantine", "an envelope arrived that must not have an effect",
            ["identity": identity, "reason": reason, "bytes": envelope.count])
        let isRoom = state.withLock { state in
            state.count += 1
            guard state.files < Self.files, state.bytes + envelope.count <= Self.bytes else { return false }
            return true
        }
        guard isRoom else { return }
        let digest = Hexadecimal.encode(Digest.sha256(envelope).prefix(8))
        let path = "\(directory)/\(identity)-\(digest).envelope"
        do {
            guard try Files.attributes(of: path) == nil else { return }
            try Files.replace(path, with: envelope)
            state.withLock { state in
                state.files += 1
                state.bytes += envelope.count
            }
        } catch {
            log.error("quarantine.unsaved", "it could not be kept: \(error)", ["identity": identity])
        }
    }
}
