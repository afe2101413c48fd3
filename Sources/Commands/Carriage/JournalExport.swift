import Admin
import Crypto
import Envelope
import Mesh
import Node

/// `relayctl journal export`
enum JournalExport {
    private static let destinations = Option(
        spellings: ["--to"], value: .text(placeholder: "PATTERN"),
        summary: "only what is for these: zone/name, zone/* or *; may stand several times", repeats: true)
    private static let all = Option(
        spellings: ["--all"], summary: "everything that is stored, also what can go on by itself")
    private static let force = Option(spellings: ["--force"], summary: "replace the file if it is there")

    /// Bytes of envelopes asked for at once.
    private static let portion = 4 << 20

    static let command = Command(
        name: ["journal", "export"],
        summary: "copy stored envelopes of a running node into a file, to carry them to another node",
        details: """
            For zones that no link reaches, for hours or weeks. Of a relay it takes what is stored there and has no way \
            on, or what --to names. Of an agent it takes what has no receipt, but not what waits for receipts of an \
            earlier run of its job: --all takes that too, and then the order of records across a restart of the agent \
            may be lost. Envelopes stay sealed: whoever finds the medium can read none. They are copies: what is here \
            stays until its receipts are back, over a link or carried back the same way, so a lost medium costs \
            nothing, and what arrives twice has its effect once.
            """,
        arguments: [Argument(name: "FILE", summary: "the file to make", completion: .file)],
        options: [destinations, all, force, .output, .noHeaders] + Option.node,
        examples: [
            Example(
                line: "relayctl journal export /media/usb/to-plant-b.carry --to 'plant-b/*'",
                meaning: "what waits for zone plant-b"),
            Example(line: "relayctl journal export receipts.carry", meaning: "all that has no way on, receipts too"),
        ],
        run: { invocation, terminal throws(Failure) in
            let path = invocation.arguments[0]
            let patterns = invocation.texts(destinations)
            try check(patterns, all: invocation.has(all))
            let renderer = try Renderer(invocation, terminal)
            let client = try Connection.client(invocation, terminal)
            try LocalFile.refuse([path], unless: invocation.has(force))
            let (names, copies) = try list(
                try Connection.ask { () throws(ClientError) in
                    try client.stored(to: patterns, all: invocation.has(all))
                })
            var sums = CarriageSums()
            for name in names { sums.learn(name, NodeID(of: name)) }
            guard !copies.isEmpty else {
                let summary = CarriageSummary(path, sums)
                return try renderer.show { () throws(Failure) in
                    summary.presentation([], remark: "nothing waits that is to be carried; no file was made")
                }
            }
            try write(copies, names, to: path, replaces: invocation.has(force), client, terminal, &sums)
            let summary = CarriageSummary(path, sums)
            try renderer.show { () throws(Failure) in
                summary.presentation([
                    Line(path, .strong)
                        + Line("  \(Quantity.count(sums.envelopes)) envelopes, \(Quantity.bytes(sums.bytes))")
                ])
            }
        })

    private static func check(_ patterns: [String], all: Bool) throws(Failure) {
        guard patterns.isEmpty || !all else { throw .usage("--to and --all; give one of them") }
        for pattern in patterns {
            guard (try? FlowPattern(pattern)) != nil else {
                throw .usage("'\(pattern)' names no destination", hint: "write zone/name, zone/* or *")
            }
        }
    }

    private static func list(_ answer: [UInt8]) throws(Failure) -> (names: [NodeName], copies: [DurableCopies.Copy]) {
        var names: [NodeName] = []
        var copies: [DurableCopies.Copy] = []
        try Records.each(of: answer) { record in
            switch record {
            case .name(let name): names.append(name)
            case .stored(let some): copies += some
            case .envelope, .end, .unknown: break
            }
        }
        return (names, copies)
    }

    private static func write(
        _ copies: [DurableCopies.Copy], _ names: [NodeName], to path: String, replaces: Bool, _ client: Client,
        _ terminal: Terminal, _ sums: inout CarriageSums
    ) throws(Failure) {
        var file = try CarriageFileWriter.make(path, replaces: replaces)
        try file.add(names)
        var progress = CarriageProgress(copies.reduce(0) { $0 + UInt64($1.length) }, terminal)
        var first = 0
        while first < copies.count {
            var (next, size) = (first, 0)
            while next < copies.count, next == first || size + copies[next].length <= portion,
                next - first < CopyDesk.copiesAtOnce
            {
                size += copies[next].length
                next += 1
            }
            let numbers = copies[first..<next].map(\.stored)
            let records = try Connection.ask { () throws(ClientError) in try client.copies(of: numbers) }
            let before = (sums.envelopes, sums.bytes)
            try Records.each(of: records) { record in
                if case .envelope(_, let envelope) = record { sums.count(envelope) }
            }
            try file.add(records, envelopes: sums.envelopes - before.0, bytes: sums.bytes - before.1)
            progress.add(UInt64(size))
            first = next
        }
        try file.finish()
    }
}

/// Records in an answer.
enum Records {
    static func each(of bytes: [UInt8], _ body: (CarriageRecord) -> Void) throws(Failure) {
        let failure = bytes.withUnsafeBytes { bytes -> CarriageReader.Failure? in
            var reader = CarriageReader(bytes)
            do throws(CarriageReader.Failure) {
                while let record = try reader.next() { body(record) }
                return nil
            } catch { return error }
        }
        if let failure { throw Failure("the node's answer is damaged: \(failure)", hint: "try again") }
    }
}

/// Tells a person how far it is, where it takes long.
struct CarriageProgress {
    /// Bytes below which nobody needs to be told.
    private static let small: UInt64 = 64 << 20

    private let total: UInt64
    private let terminal: Terminal
    private var done: UInt64 = 0
    private var told: UInt64 = 0

    init(_ total: UInt64, _ terminal: Terminal) {
        self.total = total
        self.terminal = terminal
    }

    mutating func add(_ bytes: UInt64) {
        done += bytes
        guard total > Self.small, total > 0 else { return }
        let tenths = done * 10 / total
        guard tenths > told, tenths < 10 else { return }
        told = tenths
        terminal.talk("\(tenths * 10) %  \(Quantity.bytes(done)) of \(Quantity.bytes(total))")
    }
}
