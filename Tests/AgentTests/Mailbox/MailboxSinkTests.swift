import Envelope
import Journal
import Node
import Platform
import Testing

@testable import Agent
@testable import AgentCore

@Suite struct MailboxSinkTests {
    private let directory: TemporaryDirectory
    private let layout: MailboxLayout
    private let stream = Sample.stream(1)

    init() throws {
        directory = try TemporaryDirectory()
        layout = MailboxLayout(directory: directory.path("mailbox"))
    }

    private func delivery(_ sequence: UInt64, stream other: UInt64 = 1) throws -> Delivery {
        Delivery(
            source: Sample.destination, stream: Sample.stream(other), sequence: Sequence(sequence),
            batch: try Sample.batch(["value \(sequence)"]))
    }

    private func values() throws -> [String] {
        try Mailbox(layout).list(topic: nil, limit: 1000, names: [:]).messages.map {
            String(decoding: $0.value.bytes, as: UTF8.self)
        }
    }

    private var arriving: [String] { directory.names("mailbox/arriving") }

    @Test func aMessageLiesThereUntilItIsRemoved() throws {
        let sink = try MailboxSink(layout)
        #expect(try sink.mark(of: stream) == .none)
        try sink.apply([delivery(1), delivery(2), delivery(1, stream: 2)])
        #expect(try sink.mark(of: stream) == Sequence(2))
        #expect(try values().sorted() == ["value 1", "value 1", "value 2"])
        let first = MailboxName(try delivery(1)).description
        #expect(try Mailbox(layout).remove(first))
        #expect(try !Mailbox(layout).remove(first))
        #expect(try values().sorted() == ["value 1", "value 2"])
        // Over a restart it stays away and the rest stays there.
        let again = try MailboxSink(layout)
        #expect(try again.mark(of: stream) == Sequence(2))
        #expect(try again.mark(of: Sample.stream(2)) == Sequence(1))
        #expect(try values().sorted() == ["value 1", "value 2"])
    }

    // MARK: A crash between the steps

    @Test func aBatchThatArrivedAboveItsMarkIsUndone() throws {
        try MailboxSink(layout).apply([delivery(1)])
        // The file is written, the mark is not raised.
        try Files.replace(layout.arriving + "/" + MailboxName(delivery(2)).description, with: [1, 2, 3])
        let sink = try MailboxSink(layout)
        #expect(try sink.mark(of: stream) == Sequence(1))
        #expect(arriving == [])
        try sink.apply([delivery(2)])
        #expect(try values() == ["value 1", "value 2"])
    }

    @Test func aBatchAtItsMarkIsMoved() throws {
        try MailboxSink(layout).apply([delivery(1), delivery(2), delivery(3)])
        // The marks are raised, one of three files is moved.
        for sequence: UInt64 in 2...3 {
            let name = MailboxName(try delivery(sequence)).description
            try PosixFileSystem().rename(layout.messages + "/" + name, to: layout.arriving + "/" + name)
        }
        #expect(try values() == ["value 1"])
        let sink = try MailboxSink(layout)
        #expect(try values() == ["value 1", "value 2", "value 3"])
        #expect(arriving == [])
        #expect(try sink.mark(of: stream) == Sequence(3))
    }

    @Test func aFetchedMessageDoesNotComeBack() throws {
        try MailboxSink(layout).apply([delivery(1), delivery(2)])
        #expect(try Mailbox(layout).remove(MailboxName(delivery(1)).description))
        for _ in 0..<2 {
            let sink = try MailboxSink(layout)
            #expect(try sink.mark(of: stream) == Sequence(2))
            #expect(try values() == ["value 2"])
        }
    }

    @Test func whatAFailedWritingLeftIsTidiedUp() throws {
        try MailboxSink(layout).apply([delivery(1)])
        let cut = layout.arriving + "/" + MailboxName(try delivery(2)).description + ".77.99.new"
        try Files.replace(cut, with: [1])
        _ = try MailboxSink(layout)
        #expect(arriving == [])
        #expect(try values() == ["value 1"])
    }

    // MARK: Limits and damage

    @Test func damagedMarksAreNotTakenForNone() throws {
        try MailboxSink(layout).apply([delivery(1)])
        let whole = try Files.read(layout.marks, limit: 1000)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 1
            try Files.replace(layout.marks, with: bytes)
            #expect(throws: ConnectorError.self) { try MailboxSink(layout) }
        }
        for length in whole.indices {
            try Files.replace(layout.marks, with: Array(whole[..<length]))
            #expect(throws: ConnectorError.self) { try MailboxSink(layout) }
        }
        try Files.replace(layout.marks, with: whole)
        #expect(try MailboxSink(layout).mark(of: stream) == Sequence(1))
    }

    @Test func ofTooManyStreamsTheOneRaisedLongestAgoIsForgotten() throws {
        var marks = MailboxMarks()
        for number in 1...UInt64(MailboxMarks.streams) { marks[Sample.stream(number)] = Sequence(number) }
        marks[Sample.stream(1)] = Sequence(9)
        marks[Sample.stream(1_000_000)] = Sequence(1)
        #expect(marks[Sample.stream(2)] == .none)
        #expect(marks[Sample.stream(1)] == Sequence(9))
        try Files.createDirectory(layout.directory)
        try Files.replace(layout.marks, with: marks.encoded)
        let again = try MailboxMarks.load(layout.marks, PosixFileSystem())
        #expect(again.encoded == marks.encoded)
        #expect(again[Sample.stream(3)] == Sequence(3))
    }

    @Test func aFullMailboxTakesNothingAndSaysWhatToDo() throws {
        let sink = try MailboxSink(layout, capacity: 3)
        try sink.apply([delivery(1), delivery(2)])
        let error = try #require(throws: ConnectorError.self) { try sink.apply([delivery(3), delivery(4)]) }
        #expect(error.kind == .transient)
        #expect(error.description.contains("relayctl receive"))
        let fresh = try MailboxSink(layout, capacity: 3)
        #expect(try fresh.mark(of: stream) == Sequence(2))
        try fresh.apply([delivery(3)])
        #expect(try values().count == 3)
    }

    @Test(arguments: [
        "", "x", "../marks", "00-1", "0123456789abcdef0123456789abcdef-", "0123456789abcdef0123456789abcdef",
    ])
    func aNameThatIsNoneRemovesNothing(name: String) throws {
        try MailboxSink(layout).apply([delivery(1)])
        #expect(try !Mailbox(layout).remove(name))
        #expect(try Files.attributes(of: layout.marks) != nil)
    }
}
