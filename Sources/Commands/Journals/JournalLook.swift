import Envelope
import Journal
import Mesh
import Node
import Platform

/// What a journal on the disk holds, as read without changing it.
struct JournalLook {
    struct Place: Hashable, Comparable {
        var destination: String
        var lane: String

        static func < (left: Place, right: Place) -> Bool {
            (left.destination, left.lane) < (right.destination, right.lane)
        }
    }

    struct Sum: Equatable {
        var envelopes: UInt64 = 0
        var bytes: UInt64 = 0
        /// Milliseconds.
        var oldest: UInt32 = 0
    }

    /// The journal's own directory.
    var directory: String
    var report = RecoveryReport()
    var sums: [Place: Sum] = [:]
    /// Records that hold no envelope, such as an agent's checkpoints.
    var others: UInt64 = 0
    /// Records of envelopes that cannot be read as such.
    var unreadable: [LSN] = []

    /// Names of a node's store, of which one is its journal.
    private static let names = ["journal", "outbox"]
    /// Relay's and agent's records of envelopes: both begin with how old it was, and its header.
    private static let envelopeKinds: Set<UInt16> = [StoredEnvelope.recordKind, 2]

    /// - Parameters:
    ///   - path: a node's store, or the journal in it.
    ///   - names: of nodes, by id.
    init(_ path: String, names: [NodeID: NodeName]) throws(Failure) {
        directory = try Self.find(path)
        let files = PosixFileSystem()
        let (now, boot) = (Clock.now, Bytes16.currentBoot)
        var (sums, others, unreadable): ([Place: Sum], UInt64, [LSN]) = ([:], 0, [])
        do throws(JournalError) {
            report = try SegmentedLog.inspect(
                files, directory: directory, replayPrefix: StoredEnvelope.prefixBytes + Header.size
            ) { record in
                guard Self.envelopeKinds.contains(record.kind.number) else {
                    others += 1
                    return
                }
                guard let stored = StoredEnvelope(record.prefix),
                    let header = try? Header(
                        UnsafeRawBufferPointer(rebasing: record.prefix.dropFirst(StoredEnvelope.prefixBytes)))
                else { return unreadable.append(record.lsn) }
                let place = Place(
                    destination: names[header.destination]?.description ?? header.destination.description,
                    lane: header.lane.description)
                sums[place, default: Sum()].envelopes += 1
                sums[place, default: Sum()].bytes += UInt64(Header.size) + UInt64(header.bodyLength)
                sums[place, default: Sum()].oldest = max(
                    sums[place]?.oldest ?? 0, stored.hop(at: now, boot: boot).age)
            }
        } catch {
            throw Self.failure(error)
        }
        (self.sums, self.others, self.unreadable) = (sums, others, unreadable)
    }

    private static func find(_ path: String) throws(Failure) -> String {
        for candidate in [path] + names.map({ "\(path)/\($0)" }) where try exists("\(candidate)/journal.lock") {
            return candidate
        }
        guard try exists(path) else { throw Failure("there is no \(path)") }
        throw Failure(
            "\(path) holds no journal",
            hint: "name the directory that store.directory has in the node's configuration")
    }

    private static func exists(_ path: String) throws(Failure) -> Bool {
        do throws(FileError) { return try Files.attributes(of: path) != nil } catch {
            throw Failure(error.description)
        }
    }

    private static func failure(_ error: JournalError) -> Failure {
        guard case .inUse = error else { return Failure(error.description) }
        return Failure(
            error.description,
            hint: "the node runs: ask it with relayctl queue list, or stop it before you look at its journal")
    }
}

// MARK: Report

/// The answer of `relayctl journal stat`.
struct JournalReport: Codable, Equatable, Sendable {
    struct Queue: Codable, Equatable, Sendable {
        var destination: String
        var lane: String
        var envelopes: UInt64
        var bytes: UInt64
        var oldestAgeSeconds: Double
    }

    struct Damage: Codable, Equatable, Sendable {
        var segment: String
        var offset: Int
        var bytes: Int
        var record: UInt64?
    }

    var schema = 1
    var directory: String
    var segments: Int
    var records: Int
    var bytes: Int
    /// Records that hold no envelope, such as checkpoints.
    var otherRecords: UInt64
    var queues: [Queue]
    var damage: [Damage]
    var unreadableRecords: [UInt64]
    /// Ends of segments that no commit confirmed; the next start cuts them.
    var unfinishedCommits: Int
    var unknownFiles: [String]
    /// Set aside by a start because something in them was damaged.
    var damagedFiles: [String]

    init(_ look: JournalLook) {
        directory = look.directory
        segments = look.report.segments
        records = look.report.records
        bytes = look.report.liveBytes
        otherRecords = look.others
        queues = look.sums.sorted { $0.key < $1.key }.map { place, sum in
            Queue(
                destination: place.destination, lane: place.lane, envelopes: sum.envelopes, bytes: sum.bytes,
                oldestAgeSeconds: Double(sum.oldest) / 1000)
        }
        damage = look.report.damage.map {
            Damage(segment: $0.segment, offset: $0.offset, bytes: $0.bytes, record: $0.lsn?.number)
        }
        unreadableRecords = look.unreadable.map(\.number)
        unfinishedCommits = look.report.tornTails.count
        unknownFiles = look.report.unknownFiles
        damagedFiles = look.report.damagedFiles
    }
}
