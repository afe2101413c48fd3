import Crypto
import Envelope
import Journal
import Platform
import Synchronization

/// Envelopes that arrived and must not have an effect, kept for a person with why and when: one file each, sealed as
/// they came, named by stream, number and content, so that the same bytes again take no more room.
///
/// What ``add(_:_:)`` says is kept is durable. Files are read at the start; after that the list is in memory, and every
/// change is on the disk before it is there. Used from any thread.
public final class Quarantine: Sendable {
    public struct Limits: Sendable {
        public var files: Int
        public var bytes: Int
        /// Of the files, those of kind `damaged`.
        public var damaged: Int

        public init(
            files: Int = Envelope.Limits.quarantineEnvelopes, bytes: Int = Envelope.Limits.quarantineBytes,
            damaged: Int = Envelope.Limits.quarantineDamaged
        ) {
            self.files = files
            self.bytes = bytes
            self.damaged = damaged
        }
    }

    struct State {
        var entries: [String: QuarantineEntry] = [:]
        var bytes = 0
        var damaged = 0
        var count: UInt64 = 0

        mutating func put(_ entry: QuarantineEntry) {
            take(entry.id)
            entries[entry.id] = entry
            bytes += entry.bytes
            if entry.note.kind == .damaged { damaged += 1 }
        }

        mutating func take(_ id: String) {
            guard let entry = entries.removeValue(forKey: id) else { return }
            bytes -= entry.bytes
            if entry.note.kind == .damaged { damaged -= 1 }
        }
    }

    let directory: String
    let limits: Limits
    let log: Log
    let state: Mutex<State>
    /// Held while files change, and before ``state`` where both are needed: nobody who only looks waits for the disk.
    let disk = Mutex(())

    /// - Throws: ``FileError`` where the directory cannot be had.
    public init(directory: String, limits: Limits = Limits(), log: Log) throws {
        self.directory = directory
        self.limits = limits
        self.log = log
        try Files.createDirectory(directory)
        state = Mutex(try Self.load(directory, log))
    }

    // MARK: What is here

    /// Since the start: envelopes that were kept from having an effect and taken off the neighbour's hands.
    public var count: UInt64 { state.withLock { $0.count } }

    public var summary: QuarantineSummary {
        state.withLock { QuarantineSummary(envelopes: UInt64($0.entries.count), bytes: UInt64($0.bytes)) }
    }

    /// The oldest first; those of which nobody knows when they came before them.
    public var entries: [QuarantineEntry] {
        state.withLock { Array($0.entries.values) }.sorted {
            ($0.received?.milliseconds ?? .min, $0.id) < ($1.received?.milliseconds ?? .min, $1.id)
        }
    }

    public func entry(_ id: String) -> QuarantineEntry? { state.withLock { $0.entries[id] } }

    // MARK: Changes

    /// - Returns: whether it lies here durably, with its reason; false where there is no room for it or the disk fails.
    ///   It is then to be left with whoever has it.
    public func add(_ envelope: [UInt8], _ note: QuarantineEntry.Note) -> Bool {
        let header = try? Header(envelope)
        let identity = header.map { "\($0.stream)-\($0.sequence)" } ?? "unreadable"
        let digest = Hexadecimal.encode(Digest.sha256(envelope).prefix(8))
        let entry = QuarantineEntry(
            id: "\(identity)-\(digest)", note: note, received: Clock.wall, header: header, bytes: envelope.count)
        let isKept = keep(entry, envelope)
        if isKept, note.kind != .damaged { state.withLock { $0.count += 1 } }
        log.error(
            "quarantine", isKept ? "an envelope that must not have an effect is kept aside" : "no room for an envelope",
            ["id": entry.id, "kind": note.kind.word, "reason": note.reason, "bytes": envelope.count])
        return isKept
    }

    private func keep(_ entry: QuarantineEntry, _ envelope: [UInt8]) -> Bool {
        disk.withLock { _ in
            if let held = self.entry(entry.id) { return renew(held, entry.note, envelope) }
            guard hasRoom(for: entry) else { return false }
            return put(entry, envelope)
        }
    }

    private func hasRoom(for entry: QuarantineEntry) -> Bool {
        state.withLock { state in
            state.entries.count < limits.files && state.bytes + entry.bytes <= limits.bytes
                && (entry.note.kind != .damaged || state.damaged < limits.damaged)
        }
    }

    /// The same bytes came again: what is known of them is made true. That its stream is past an envelope stays so,
    /// whatever becomes of another copy.
    private func renew(_ held: QuarantineEntry, _ note: QuarantineEntry.Note, _ envelope: [UInt8]) -> Bool {
        let isKnown = held.note.kind == note.kind && held.note.reason == note.reason && held.note.sink == note.sink
        if isKnown || held.note.kind.isBehindItsStream && !note.kind.isBehindItsStream { return true }
        var entry = held
        entry.note = note
        return put(entry, envelope)
    }

    private func put(_ entry: QuarantineEntry, _ envelope: some Collection<UInt8>) -> Bool {
        do throws(FileError) {
            try write(entry, envelope)
            return true
        } catch {
            log.error("quarantine.unsaved", "it could not be kept: \(error)", ["id": entry.id])
            return false
        }
    }
}

/// How much lies in a quarantine.
public struct QuarantineSummary: Codable, Equatable, Sendable {
    public var envelopes: UInt64
    public var bytes: UInt64

    public init(envelopes: UInt64 = 0, bytes: UInt64 = 0) {
        self.envelopes = envelopes
        self.bytes = bytes
    }
}
