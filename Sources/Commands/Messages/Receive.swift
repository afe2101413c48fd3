import Admin
import Envelope
import Node

/// `relayctl receive`
enum Receive {
    private static let topic = Option(
        spellings: ["--topic"], value: .text(placeholder: "TOPIC"), summary: "only messages of this topic")
    private static let follow = Option(
        spellings: ["--follow"], summary: "wait for more, until Ctrl-C")
    private static let limit = Option(
        spellings: ["--limit"], value: .text(placeholder: "N"), summary: "end after N messages")
    private static let raw = Option(
        spellings: ["--raw"], summary: "write the values as they are, nothing around or between them")
    private static let keep = Option(
        spellings: ["--keep"], summary: "leave the messages in the mailbox")

    /// Messages asked for at once.
    private static let page = 50
    private static let pause = Duration.milliseconds(500)

    static let command = Command(
        name: ["receive"],
        summary: "take messages out of an agent's mailbox, oldest first",
        details: """
            A message leaves the mailbox once it has been written out, so one that was not comes again. With -o json \
            each message is one line.
            """,
        options: [topic, follow, limit, raw, keep, .output] + Option.node,
        examples: [
            Example(line: "relayctl receive --follow", meaning: "messages as they come"),
            Example(line: "relayctl receive --raw --limit 1 > r7.json", meaning: "one message's bytes"),
        ],
        run: { invocation, terminal throws(Failure) in
            guard !invocation.has(keep) || !invocation.has(follow) else {
                throw .usage("--follow with --keep would show the same messages for ever; give one of them")
            }
            let most = try invocation.number(limit, in: 1...1_000_000)
            let client = try Connection.client(invocation, terminal)
            var reader = MailboxReader(
                client: client, writer: try MessageWriter(invocation, terminal, isRaw: invocation.has(raw)),
                topic: invocation.text(topic), keeps: invocation.has(keep), left: most ?? .max)
            try reader.drain(page: page)
            while invocation.has(follow), reader.left > 0, terminal.pause(pause) { try reader.drain(page: page) }
            if reader.count == 0, !invocation.has(raw) { terminal.talk("the mailbox is empty") }
        })
}

/// Takes messages out page by page.
private struct MailboxReader {
    var client: Client
    var writer: MessageWriter
    var topic: String?
    var keeps: Bool
    /// Messages that may still be taken.
    var left: Int
    var count = 0

    mutating func drain(page: Int) throws(Failure) {
        var hasMore = true
        while hasMore, left > 0 {
            let (client, topic, asked) = (client, topic, keeps ? left : min(page, left))
            let list = try Connection.ask { () throws(ClientError) in
                try client.messages(topic: topic, limit: min(asked, 10_000))
            }
            for message in list.messages.prefix(left) {
                try writer.write(message)
                if !keeps {
                    try Connection.ask { () throws(ClientError) in try client.deleteMessage(message.id) }
                }
                count += 1
                left -= 1
            }
            hasMore = list.hasMore && !list.messages.isEmpty && !keeps
        }
    }
}

/// Writes one message after the other.
private struct MessageWriter {
    private let terminal: Terminal
    private let renderer: Renderer
    private let isRaw: Bool

    init(_ invocation: Invocation, _ terminal: Terminal, isRaw: Bool) throws(Failure) {
        self.terminal = terminal
        self.isRaw = isRaw
        renderer = try Renderer(invocation, terminal)
    }

    func write(_ message: MessageList.Message) throws(Failure) {
        if isRaw {
            terminal.write(message.value.bytes)
            return
        }
        let text: String
        switch renderer.layout {
        case .json: text = try Renderer.json(message, pretty: false)
        case .yaml: text = "---\n" + (try renderer.text(of: Presentation(message, sections: [])))
        case .table, .wide, .dot: text = renderer.palette.paint(line(message)) + "\n"
        }
        terminal.write(Array(text.utf8))
    }

    private func line(_ message: MessageList.Message) -> Line {
        var line = Line(message.received.rfc3339, .dim) + Line("  \(message.source)  ")
        if let topic = message.topic { line += Line("\(topic)  ", .strong) }
        if let key = message.key { line += Line("\(key.text ?? Hexadecimal.encode(key.bytes))  ", .dim) }
        guard let text = message.value.text else {
            return line + Line("(\(Quantity.bytes(UInt64(message.value.bytes.count))), not text; see --raw)", .dim)
        }
        // One line a message: the newline at the end that most tools write is no part of it.
        return line + Line(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
}
