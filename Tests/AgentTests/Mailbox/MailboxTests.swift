import Crypto
import Envelope
import Node
import Platform
import Testing

@testable import Agent
@testable import AgentCore

@Suite struct MailboxTests {
    private let directory: TemporaryDirectory
    private let layout: MailboxLayout

    init() throws {
        directory = try TemporaryDirectory()
        layout = MailboxLayout(directory: directory.path)
    }

    private func bring(
        _ sequence: UInt64, _ values: [String], topic: String = "topic", source: NodeID = Sample.destination
    ) throws {
        let delivery = Delivery(
            source: source, stream: Sample.stream(1), sequence: Sequence(sequence),
            batch: try Sample.batch(values, topic: topic))
        try MailboxSink(layout).apply([delivery])
    }

    private func list(
        topic: String? = nil, limit: Int = 100, bytes: Int = Mailbox.answerBytes, names: [NodeID: NodeName] = [:]
    ) throws -> (values: [String], hasMore: Bool) {
        let list = try Mailbox(layout).list(topic: topic, limit: limit, bytes: bytes, names: names)
        return (list.messages.map { String(decoding: $0.value.bytes, as: UTF8.self) }, list.hasMore)
    }

    @Test func withoutADirectoryItIsEmpty() throws {
        #expect(
            try Mailbox(MailboxLayout(directory: directory.path("none"))).list(topic: nil, limit: 1, names: [:])
                .messages.isEmpty)
    }

    @Test func theOldestComeFirstUpToTheLimit() throws {
        for sequence: UInt64 in 1...12 { try bring(sequence, ["\(sequence)"]) }
        let first = try list(limit: 10)
        #expect(first.values == (1...10).map { "\($0)" })
        #expect(first.hasMore)
        let all = try list(limit: 12)
        #expect(all.values.count == 12)
        #expect(!all.hasMore)
    }

    /// A batch is removed as a whole, so it is shown as a whole.
    @Test func aBatchIsNotCutByTheLimit() throws {
        try bring(1, ["a", "b", "c"])
        try bring(2, ["d"])
        let list = try list(limit: 2)
        #expect(list.values == ["a", "b", "c"])
        #expect(list.hasMore)
    }

    @Test func anAnswerIsBoundedByBytes() throws {
        let large = String(repeating: "x", count: 1000)
        for sequence: UInt64 in 1...5 { try bring(sequence, [large]) }
        let two = try list(bytes: 2500)
        #expect(two.values.count == 2)
        #expect(two.hasMore)
        // One that is larger than the bound comes alone, or it could never be fetched.
        let one = try list(bytes: 10)
        #expect(one.values.count == 1)
        #expect(one.hasMore)
        let all = try list(bytes: 100_000)
        #expect(all.values.count == 5)
        #expect(!all.hasMore)
    }

    @Test func onlyTheTopicAskedForCounts() throws {
        let large = String(repeating: "x", count: 1000)
        try bring(1, [large], topic: "other")
        try bring(2, ["a"])
        try bring(3, [large], topic: "other")
        try bring(4, ["b"])
        try bring(5, [large], topic: "other")
        let both = try list(topic: "topic", limit: 2, bytes: 500)
        #expect(both.values == ["a", "b"])
        #expect(!both.hasMore)
        let one = try list(topic: "topic", limit: 1)
        #expect(one.values == ["a"])
        #expect(one.hasMore)
        #expect(try list(topic: "absent").values == [])
    }

    @Test func aSenderIsShownByNameWhereItIsKnown() throws {
        let name = try NodeName("plant-a/agent")
        try bring(1, ["a"], source: NodeID(of: name))
        let mailbox = Mailbox(layout)
        let known = try mailbox.list(topic: nil, limit: 1, names: [NodeID(of: name): name])
        #expect(known.messages.first?.source == "plant-a/agent")
        let unknown = try mailbox.list(topic: nil, limit: 1, names: [:])
        #expect(unknown.messages.first?.source == NodeID(of: name).description)
        #expect(known.messages.first?.id == directory.names("messages").first)
    }

    @Test func filesThatAreNoneOfOursAreLeftOut() throws {
        try bring(1, ["a"])
        let name = try #require(directory.names("messages").first)
        let whole = try Files.read(layout.messages + "/" + name, limit: 10_000)
        try Files.replace(layout.messages + "/notes.txt", with: [1, 2, 3])
        let other = String(name.dropLast()) + "2"
        for length in whole.indices {
            try Files.replace(layout.messages + "/" + other, with: Array(whole[..<length]))
            let shown = try list()
            #expect(shown.values == ["a"])
            #expect(!shown.hasMore)
        }
    }
}
