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

    private func open(files: Int = 100, bytes: Int = 10_000) throws -> Quarantine {
        try Quarantine(
            directory: directory.path("quarantine"), limits: .init(files: files, bytes: bytes), log: Sample.log)
    }

    private var names: [String] { directory.names("quarantine") }

    private func envelope(_ salt: UInt8, bytes: Int = 100) -> [UInt8] { [UInt8](repeating: salt, count: bytes) }

    @Test func anEnvelopeIsKeptAsItCame() throws {
        let quarantine = try open()
        quarantine.add(envelope(1), reason: "altered")
        #expect(names.count == 1)
        #expect(names.first?.hasPrefix("unreadable-") == true)
        let path = directory.path("quarantine") + "/" + (names.first ?? "")
        #expect(try Files.read(path, limit: 1000) == envelope(1))
        #expect(quarantine.count == 1)
    }

    @Test func aReadableOneIsNamedByStreamAndNumber() throws {
        let quarantine = try open()
        let scene = try InboxKeys()
        let envelope = try scene.envelope(5, ["v"])
        quarantine.add(envelope, reason: "altered")
        let header = try Header(envelope)
        #expect(names.first?.hasPrefix("\(header.stream)-\(header.sequence)-") == true)
    }

    @Test func theSameBytesTakeRoomOnce() throws {
        let quarantine = try open(files: 1)
        for _ in 1...3 { quarantine.add(envelope(1), reason: "altered") }
        #expect(quarantine.addRejected(envelope(1), reason: "does not fit"))
        #expect(names.count == 1)
        #expect(quarantine.count == 4)
    }

    @Test func beyondItsLimitsItCountsAndKeepsNothing() throws {
        let byFiles = try open(files: 2)
        for salt: UInt8 in 1...3 { byFiles.add(envelope(salt), reason: "altered") }
        #expect(names.count == 2)
        #expect(!byFiles.addRejected(envelope(4), reason: "does not fit"))
        #expect(byFiles.count == 4)
    }

    @Test func bytesAreBoundedExactly() throws {
        let quarantine = try open(bytes: 250)
        #expect(quarantine.addRejected(envelope(1), reason: "r"))
        #expect(!quarantine.addRejected(envelope(2, bytes: 151), reason: "r"))
        #expect(quarantine.addRejected(envelope(3, bytes: 150), reason: "r"))
        #expect(!quarantine.addRejected(envelope(4, bytes: 1), reason: "r"))
        #expect(names.count == 2)
    }

    @Test func aRestartCountsWhatLiesThere() throws {
        let first = try open(files: 3, bytes: 250)
        first.add(envelope(1), reason: "altered")
        first.add(envelope(2), reason: "altered")
        let again = try open(files: 3, bytes: 250)
        #expect(again.count == 0)
        #expect(!again.addRejected(envelope(3, bytes: 51), reason: "r"), "the bytes are full")
        #expect(again.addRejected(envelope(1), reason: "r"), "it lies here already")
        #expect(again.addRejected(envelope(3, bytes: 50), reason: "r"))
        #expect(!(try open(files: 3, bytes: 10_000)).addRejected(envelope(4), reason: "r"), "the files are full")
    }

    /// What a crash left of a writing is not an envelope and takes no room.
    @Test func aHalfWrittenFileIsTidiedUpAtTheStart() throws {
        let first = try open(files: 1)
        try Files.replace(directory.path("quarantine") + "/unreadable-0011.envelope.7.8.new", with: [1, 2, 3])
        _ = first
        let again = try open(files: 1)
        #expect(again.addRejected(envelope(1), reason: "r"))
        #expect(names.count == 1)
    }

    @Test func whereNothingCanBeWrittenNothingIsSaidToBeKept() throws {
        let quarantine = try open(files: 1)
        // A file in the place of the directory.
        #expect(rmdir(directory.path("quarantine")) == 0)
        try Files.replace(directory.path("quarantine"), with: [])
        #expect(!quarantine.addRejected(envelope(1), reason: "r"))
        try Files.remove(directory.path("quarantine"))
        try Files.createDirectory(directory.path("quarantine"))
        // The failed attempt took no room.
        #expect(quarantine.addRejected(envelope(1), reason: "r"))
    }
}
