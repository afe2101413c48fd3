import Admin
import Envelope
import Node

/// `relayctl send`
enum Send {
    private static let destination = Option(
        spellings: ["--to"], value: .text(placeholder: "ZONE/NAME"), summary: "the agent it is for", isRequired: true)
    private static let topic = Option(
        spellings: ["--topic"], value: .text(placeholder: "TOPIC"), summary: "topic, by which the receiver sorts")
    private static let key = Option(
        spellings: ["--key"], value: .text(placeholder: "KEY"), summary: "key of the record")
    private static let file = Option(
        spellings: ["--file", "-f"], value: .text(placeholder: "PATH"), summary: "send a file's content",
        completion: .file)
    private static let wait = Option(
        spellings: ["--wait"], value: .optionalNumber(placeholder: "SECONDS", otherwise: "60"),
        summary: "wait for the destination's receipt, SECONDS (default 60) at most; write --wait=5 before a text")

    static let command = Command(
        name: ["send"],
        summary: "send one message by an agent",
        details: """
            Returns once the message is durable at the agent: from then on it arrives, whatever fails. Without a text \
            and --file, it is read from standard input.
            """,
        arguments: [Argument(name: "TEXT", summary: "the message", isRequired: false)],
        options: [destination, topic, key, file, wait, .output] + Option.node,
        examples: [
            Example(line: "relayctl send --to plant-b/agent 'hello'", meaning: "a line of text"),
            Example(
                line: "relayctl send --to plant-b/agent --topic recipes --file r7.json --wait",
                meaning: "a file, until its receipt is back"),
            Example(line: "date | relayctl send --to plant-b/agent", meaning: "what another program says"),
        ],
        run: { invocation, terminal throws(Failure) in
            let to = try NodeName.argument(invocation.required(destination)).description
            let patience = try invocation.seconds(wait, in: 1...86_400)
            let renderer = try Renderer(invocation, terminal)
            let client = try Connection.client(invocation, terminal)
            let value = try content(invocation, terminal)
            let result = try Connection.ask { () throws(ClientError) in
                try client.send(
                    value, to: to, topic: invocation.text(topic), key: invocation.text(key), receiptWithin: patience)
            }
            try renderer.show { () throws(Failure) in presentation(of: result, to: to) }
            if patience != nil, result.receipted != true {
                throw Failure(
                    "no receipt came in time",
                    hint: "the message is safe at the agent and goes on by itself; see relayctl queue list")
            }
        })

    private static func presentation(of result: SendResult, to destination: String) -> Presentation {
        let records = result.records == 1 ? "1 record" : "\(result.records) records"
        let state = result.receipted == true ? "received by \(destination)" : "durable at the agent"
        let line = Line("\(records) \(state): stream \(result.stream), sequence \(result.sequence)")
        return Presentation(result, sections: [.lines([line])])
    }

    private static func content(_ invocation: Invocation, _ terminal: Terminal) throws(Failure) -> [UInt8] {
        let (text, path) = (invocation.arguments.first, invocation.text(file))
        guard text == nil || path == nil else { throw .usage("both a text and --file are there; give one of them") }
        let bytes: [UInt8]?
        if let path {
            bytes = try LocalFile.read(path, limit: Limits.bodyBytes)
        } else if let text, text != "-" {
            bytes = Array(text.utf8)
        } else if text == nil, terminal.isInputTerminal {
            throw .usage("there is nothing to send", hint: "give a text, --file PATH, or pipe it in")
        } else {
            bytes = terminal.readInput(Limits.bodyBytes)
        }
        guard let bytes, bytes.count <= Limits.bodyBytes else {
            throw Failure(
                "a message has \(Quantity.bytes(UInt64(Limits.bodyBytes))) at most",
                hint: "let a 'files' job of the agent collect larger ones; it sends them in chunks")
        }
        return bytes
    }
}
