import Envelope
import Glibc
import Node
import Platform
import Testing

@testable import Agent
@testable import AgentCore

@Suite struct QuarantineTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(files: Int = 100, bytes: Int = 10_000, damaged: Int = 100) throws -> Quarantine {
        try Quarantine(
            directory: directory.path("quarantine"), limits: .init(files: files, bytes: bytes, damaged: damaged),
            log: Sample.log)
    }

    private var names: [String] { directory.names("quarantine") }

    private func envelope(_ salt: UInt8, bytes: Int = 100) -> [UInt8] { [UInt8](repeating: salt, count: bytes) }

    private let altered = QuarantineEntry.Note(.unopened, "altered")

    @Test func anEnvelopeIsKeptAsItCameWithItsReason() throws {
        let quarantine = try open()
        let note = QuarantineEntry.Note(.rejected, "does not fit", peer: "a/relay", topic: "t", sink: "rows")
        #expect(quarantine.add(envelope(1), note))
        for look in [quarantine, try open()] {
            let entry = try #require(look.entries.first)
            #expect(entry.note == note && entry.bytes == 100 && entry.received != nil && entry.header == nil)
            #expect(try look.envelope(entry.id) == envelope(1))
            #expect(look.summary == QuarantineSummary(envelopes: 1, bytes: 100))
        }
    }

    @Test func aReadableOneIsNamedByStreamAndNumber() throws {
        let quarantine = try open()
        let envelope = try InboxKeys().envelope(5, ["v"])
        #expect(quarantine.add(envelope, altered))
        let header = try Header(envelope)
        let entry = try #require(quarantine.entries.first)
        #expect(entry.id.hasPrefix("\(header.stream)-\(header.sequence)-") && entry.header == header)
    }

    @Test func theSameBytesTakeRoomOnce() throws {
        let quarantine = try open(files: 1)
        for _ in 1...3 { #expect(quarantine.add(envelope(1), altered)) }
        #expect(quarantine.add(envelope(1), .init(.rejected, "does not fit")))
        #expect(names.count == 1 && quarantine.count == 4)
        // That its stream has gone on behind it stays so.
        #expect(quarantine.add(envelope(1), altered))
        #expect(quarantine.entries.first?.note.kind == .rejected)
    }

    @Test func beyondItsLimitsNothingIsSaidToBeKept() throws {
        let quarantine = try open(files: 2)
        #expect((1...3).map { quarantine.add(envelope($0), altered) } == [true, true, false])
        #expect(names.count == 2 && quarantine.count == 2)
    }

    @Test func bytesThatAreNoEnvelopeLeaveRoomForOthers() throws {
        let quarantine = try open(damaged: 1)
        #expect(quarantine.add(envelope(1), .init(.damaged, "r")))
        #expect(!quarantine.add(envelope(2), .init(.damaged, "r")))
        #expect(quarantine.add(envelope(3), altered))
    }

    @Test func bytesAreBoundedExactly() throws {
        let quarantine = try open(bytes: 250)
        #expect(quarantine.add(envelope(1), altered))
        #expect(!quarantine.add(envelope(2, bytes: 151), altered))
        #expect(quarantine.add(envelope(3, bytes: 150), altered))
        #expect(!quarantine.add(envelope(4, bytes: 1), altered))
    }

    @Test func aRestartCountsWhatLiesThere() throws {
        let first = try open(files: 3, bytes: 250)
        #expect(first.add(envelope(1), altered) && first.add(envelope(2), altered))
        let again = try open(files: 3, bytes: 250)
        #expect(again.count == 0)
        #expect(!again.add(envelope(3, bytes: 51), altered), "the bytes are full")
        #expect(again.add(envelope(1), altered), "it lies here already")
        #expect(again.add(envelope(3, bytes: 50), altered))
        #expect(!(try open(files: 3)).add(envelope(4), altered), "the files are full")
    }

    @Test func whatIsTakenOutIsGone() throws {
        let quarantine = try open(files: 1)
        #expect(quarantine.add(envelope(1), altered))
        let id = try #require(quarantine.entries.first?.id)
        #expect(try quarantine.remove(id))
        #expect(try !quarantine.remove(id))
        #expect(try quarantine.envelope(id) == nil)
        #expect(names.isEmpty && quarantine.add(envelope(2), altered))
    }

    /// Versions before wrote the envelope alone.
    @Test func aFileOfAVersionBeforeIsReadAndRenewed() throws {
        try Files.createDirectory(directory.path("quarantine"))
        let bytes = try InboxKeys().envelope(5, ["v"])
        let id = try { () throws -> String in
            let probe = try open()
            _ = probe.add(bytes, altered)
            let id = try #require(probe.entries.first?.id)
            _ = try probe.remove(id)
            return id
        }()
        try Files.replace(directory.path("quarantine") + "/\(id).envelope", with: bytes)
        let quarantine = try open()
        #expect(quarantine.entries.map(\.note.kind) == [.unknown])
        #expect(try quarantine.envelope(id) == bytes)
        #expect(quarantine.add(bytes, altered))
        #expect(names.count == 1 && quarantine.entries.map(\.note.kind) == [.unopened])
        #expect(try quarantine.envelope(id) == bytes)
    }

    @Test func aDamagedFileIsShownAndHarmsNothing() throws {
        let first = try open()
        #expect(first.add(envelope(1), altered) && first.add(envelope(2), altered))
        let path = directory.path("quarantine") + "/" + (names.first ?? "")
        var bytes = try Files.read(path, limit: 10_000)
        for place in [0, 9, 13, 20] {
            bytes[place] ^= 0xFF
            try Files.replace(path, with: bytes)
            let kinds = try open().entries.map(\.note.kind)
            #expect(Set(kinds) == [.damaged, .unopened])
        }
        try Files.replace(path, with: [])
        #expect(try open().entries.count == 2)
    }

    /// What a crash left of a writing is not an envelope and takes no room.
    @Test func aHalfWrittenFileIsTidiedUpAtTheStart() throws {
        _ = try open()
        for name in ["unreadable-0011.envelope.7.8.new", "unreadable-0011.quarantined.7.8.new"] {
            try Files.replace(directory.path("quarantine") + "/" + name, with: [1, 2, 3])
        }
        let again = try open(files: 1)
        #expect(again.add(envelope(1), altered))
        #expect(names.count == 1)
    }

    @Test func whereNothingCanBeWrittenNothingIsSaidToBeKept() throws {
        let quarantine = try open(files: 1)
        // A file in the place of the directory.
        #expect(rmdir(directory.path("quarantine")) == 0)
        try Files.replace(directory.path("quarantine"), with: [])
        #expect(!quarantine.add(envelope(1), altered))
        try Files.remove(directory.path("quarantine"))
        try Files.createDirectory(directory.path("quarantine"))
        // The failed attempt took no room.
        #expect(quarantine.add(envelope(1), altered))
    }
}
