import Admin
import Crypto
import Envelope
import Node

/// `relayctl journal import`
enum JournalImport {
    private static let dry = Option(
        spellings: ["--dry-run"], summary: "read the file and show what it holds; ask no node")

    static let command = Command(
        name: ["journal", "import"],
        summary: "bring envelopes of a file, as 'journal export' makes it, to a running relay",
        details: """
            The relay stores them, durably, and forwards them as if they had come over a link; its flows and quotas hold \
            for them too. While it is full, the command waits. A file may be brought to several relays and several \
            times: what arrives twice has its effect once. Carry the receipts back with 'journal export' at this relay, \
            and the sources let go what they keep. Ends with 1 where something was refused or the file is damaged.
            """,
        arguments: [Argument(name: "FILE", summary: "the file that was carried", completion: .file)],
        options: [dry, .output, .noHeaders] + Option.node,
        examples: [
            Example(
                line: "relayctl journal import /media/usb/to-plant-b.carry", meaning: "to the relay of RELAY_SOCKET"),
            Example(line: "relayctl journal import to-plant-b.carry --dry-run", meaning: "only look what it holds"),
        ],
        run: { invocation, terminal throws(Failure) in
            let path = invocation.arguments[0]
            let renderer = try Renderer(invocation, terminal)
            let client = invocation.has(dry) ? nil : try Connection.client(invocation, terminal)
            var carrier = Carrier(client, terminal)
            var file = try CarriageFileReader.open(path)
            try carrier.read(&file)
            var summary = CarriageSummary(path, carrier.sums)
            summary.damaged = carrier.damaged
            if client != nil {
                summary.stored = carrier.stored
                summary.refused = carrier.refused.sorted { $0.key < $1.key }.map {
                    .init(reason: $0.key, envelopes: $0.value)
                }
            }
            try renderer.show { [summary] () throws(Failure) in
                summary.presentation(lines(of: summary, isDry: client == nil))
            }
            try complain(carrier, path)
        })

    private static func lines(of summary: CarriageSummary, isDry: Bool) -> [Line] {
        let all = "\(Quantity.count(summary.envelopes)) envelopes, \(Quantity.bytes(summary.bytes))"
        var lines = [Line(summary.file, .strong) + Line("  \(all)")]
        if let stored = summary.stored {
            lines.append(Line("\(Quantity.count(stored)) are durable at the relay and go on from there"))
        }
        for refusal in summary.refused ?? [] {
            lines.append(Line("\(Quantity.count(refusal.envelopes)) refused: \(refusal.reason)", .warning))
        }
        return lines
    }

    private static func complain(_ carrier: borrowing Carrier, _ path: String) throws(Failure) {
        var lines: [String] = []
        if carrier.damaged > 0 { lines.append("\(Quantity.count(carrier.damaged)) records of \(path) are damaged") }
        if let place = carrier.brokenAt {
            lines.append("\(path) cannot be read from byte \(place) on, or ends too early")
        }
        if !lines.isEmpty {
            throw Failure(
                lines: lines, hint: "nothing is lost: the node it was exported from has it all still; export it again",
                code: .failed)
        }
        guard carrier.refused.isEmpty else {
            throw Failure(
                "not all was taken",
                hint: "see the flows of the relay (relayctl flow list); the sources keep what was refused")
        }
    }
}

/// Brings records to a node, in portions.
private struct Carrier: ~Copyable {
    /// Bytes brought at once.
    private static let portion = 4 << 20
    private static let pause: Duration = .seconds(1)

    private let client: Client?
    private let terminal: Terminal
    var sums = CarriageSums()
    var stored: UInt64 = 0
    var refused: [String: UInt64] = [:]
    var damaged: UInt64 = 0
    /// From where on the file cannot be read.
    var brokenAt: Int?
    private var names: [UInt8] = []
    private var envelopes: [[UInt8]] = []
    private var bytes = 0
    private var hasWaited = false

    init(_ client: Client?, _ terminal: Terminal) {
        self.client = client
        self.terminal = terminal
    }

    mutating func read(_ file: inout CarriageFileReader) throws(Failure) {
        var end: (envelopes: UInt64, bytes: UInt64)?
        while true {
            let place = file.offset
            switch try file.next() {
            case .record(let record): end = try take(record) ?? end
            case .damaged: damaged += 1
            case .broken:
                brokenAt = place
                return try bring()
            case .end:
                // What was damaged is missing in the sum and told already.
                if end == nil || damaged == 0 && end?.envelopes != sums.envelopes { brokenAt = place }
                return try bring()
            }
        }
    }

    private mutating func take(_ bytes: [UInt8]) throws(Failure) -> (envelopes: UInt64, bytes: UInt64)? {
        var end: (envelopes: UInt64, bytes: UInt64)?
        var (isName, isEnvelope) = (false, false)
        try Records.each(of: bytes) { record in
            switch record {
            case .name(let name):
                sums.learn(name, NodeID(of: name))
                isName = true
            case .envelope(_, let envelope):
                isEnvelope = sums.count(envelope)
                if !isEnvelope { damaged += 1 }
            case .end(let envelopes, let bytes): end = (envelopes, bytes)
            case .stored, .unknown: break
            }
        }
        if isName { names += bytes }
        if isEnvelope {
            if self.bytes + bytes.count > Self.portion { try bring() }
            envelopes.append(bytes)
            self.bytes += bytes.count
        }
        return end
    }

    private mutating func bring() throws(Failure) {
        defer { (names, envelopes, bytes) = ([], [], 0) }
        guard let client else { return }
        while !envelopes.isEmpty {
            let records = names + envelopes.joined()
            let report = try Connection.ask { () throws(ClientError) in try client.bring(records) }
            stored += UInt64(clamping: report.stored)
            for refusal in report.refused where refusal.index < report.taken {
                refused[refusal.reason, default: 0] += 1
            }
            guard (0...envelopes.count).contains(report.taken), report.taken > 0 || report.waits != nil else {
                throw Failure("the relay's answer makes no sense", hint: "is it of the same version?")
            }
            envelopes.removeFirst(report.taken)
            guard let reason = report.waits else { continue }
            if !hasWaited {
                terminal.talk("the relay takes no more for now (\(reason)); waiting, Ctrl-C to stop")
                hasWaited = true
            }
            guard terminal.pause(Self.pause) else {
                throw Failure(
                    "stopped; \(Quantity.count(stored)) envelopes are at the relay", hint: "import it again later")
            }
        }
    }
}
