import Envelope
import Platform
import Testing

@testable import Agent
@testable import AgentCore

/// What is known of streams is there again after a restart, and whatever the file is, the agent goes on.
struct StreamsFileTests {
    private let place: TemporaryDirectory

    init() throws { place = try TemporaryDirectory() }

    private var file: StreamsFile { StreamsFile(directory: place.path, log: Sample.log) }

    private func ledger(_ sequence: UInt64) -> StreamLedger {
        var ledger = StreamLedger()
        ledger.delivered(Sample.destination, Sample.stream(1), through: Sequence(sequence), at: .init(milliseconds: 5))
        return ledger
    }

    @Test func whatWasSavedLastIsThereAgain() throws {
        let first = file
        #expect(first.load().incoming.isEmpty, "there is no file")
        #expect(place.names().isEmpty, "nor was one set aside")
        try first.start()
        for sequence in 1...5 as ClosedRange<UInt64> { first.save(ledger(sequence)) }
        first.stop()
        let read = file.load()
        #expect(read.incoming == ledger(5).incoming)
        #expect(place.names() == ["streams"])
    }

    @Test(arguments: [[], [7], Array("GRLEDGR1 and then something else".utf8)] as [[UInt8]])
    func aDamagedFileIsSetAside(_ bytes: [UInt8]) throws {
        try Files.replace(place.path("streams"), with: bytes)
        #expect(file.load().incoming.isEmpty)
        #expect(place.names() == ["streams.damaged"])
        #expect(try Files.read(place.path("streams.damaged"), limit: 100) == bytes)
        // And the agent goes on with another.
        let next = file
        try next.start()
        next.save(ledger(2))
        next.stop()
        #expect(file.load().incoming == ledger(2).incoming)
    }

    @Test func whatCannotBeReadStopsNobody() throws {
        try Files.createDirectory(place.path("streams"))
        #expect(file.load().incoming.isEmpty)
        try Files.createDirectory(place.path("streams"))
        let stuck = file
        try stuck.start()
        stuck.save(ledger(1))
        stuck.save(ledger(2))
        stuck.stop()
        #expect(place.names().contains("streams.damaged"))
    }
}
