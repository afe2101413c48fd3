import Crypto
import Envelope
import Journal
import Platform
import Synchronization

/// Envelopes that arrived and must not have an effect: one file each, sealed as they came, named by stream, number
/// and content, so that the same bytes again take no more room.
final class Quarantine: Sendable {
    struct Limits: Sendable {
        /// Files kept; beyond it envelopes are still refused their effect and counted, but not kept.
        var files = 1000
        /// Bytes kept in all.
        var bytes = 256 << 20
    }

    private struct State {
        var files = 0
        var bytes = 0
        var count: UInt64 = 0
    }

    private let directory: String
    private let limits: Limits
    private let log: Log
    private let state: Mutex<State>

    /// - Throws: ``FileError`` where the directory cannot be had.
    init(directory: String, limits: Limits = Limits(), log: Log) throws {
        self.directory = directory
        self.limits = limits
        self.log = log
        try Files.createDirectory(directory)
        var held = State()
        for name in try PosixFileSystem().list(directory) {
            if Self.isUnfinished(name) {
                try Files.remove(directory + "/" + name)
                continue
            }
            guard let attributes = try Files.attributes(of: directory + "/" + name) else { continue }
            held.files += 1
            held.bytes += Int(attributes.bytes)
        }
        state = Mutex(held)
    }

    /// What a crash left of a file being written: nothing was said to be kept by it.
    private static func isUnfinished(_ name: String) -> Bool {
        name.hasSuffix(".new") && name.split(separator: ".").dropFirst().first == "envelope"
    }

    /// Since the start.
    var count: UInt64 { state.withLock { $0.count } }

    func add(_ envelope: [UInt8], reason: String) {
        log.error(
            "quarantine", "an envelope arrived that must not have an effect",
            ["identity": Self.identity(envelope), "reason": reason, "bytes": envelope.count])
        keep(envelope)
    }

    /// For a batch that its sink rejects, where it is to be set aside for a person.
    /// - Returns: whether it lies here durably.
    func addRejected(_ envelope: [UInt8], reason: String) -> Bool {
        let isKept = keep(envelope)
        log.error(
            "quarantine.rejected",
            isKept ? "a batch its sink rejects was set aside" : "a rejected batch has no room here",
            ["identity": Self.identity(envelope), "reason": reason, "bytes": envelope.count])
        return isKept
    }

    private static func identity(_ envelope: [UInt8]) -> String {
        (try? Header(envelope)).map { "\($0.stream)-\($0.sequence)" } ?? "unreadable"
    }

    /// - Returns: whether it lies here durably.
    @discardableResult
    private func keep(_ envelope: [UInt8]) -> Bool {
        let identity = Self.identity(envelope)
        let digest = Hexadecimal.encode(Digest.sha256(envelope).prefix(8))
        let path = "\(directory)/\(identity)-\(digest).envelope"
        do {
            let isHere = try Files.attributes(of: path) != nil
            let isRoom = state.withLock { state in
                state.count += 1
                guard !isHere else { return true }
                guard state.files < limits.files, state.bytes + envelope.count <= limits.bytes else { return false }
                state.files += 1
                state.bytes += envelope.count
                return true
            }
            guard isRoom, !isHere else { return isHere }
            do {
                try Files.replace(path, with: envelope)
            } catch {
                state.withLock { state in
                    state.files -= 1
                    state.bytes -= envelope.count
                }
                throw error
            }
            return true
        } catch {
            log.error("quarantine.unsaved", "it could not be kept: \(error)", ["identity": identity])
            return false
        }
    }
}
