import Admin
import Envelope
import Node
import Synchronization
import Testing

@testable import Commands

/// Both ends of streams as agents tell of them, and what is said of the difference.
struct ReconcileTests {
    /// Two agents, and what they answer.
    struct Mesh: Sendable {
        var outgoing: [StreamReport.Outgoing] = []
        var incoming: [StreamReport.Incoming] = []
        var aside: [QuarantineReport.Entry] = []
        var forgotten = StreamReport.Forgotten()
        /// By stream.
        var marks: [String: UInt64?] = [:]
        /// What the source answers the second time.
        var outgoingLater: [StreamReport.Outgoing]?
        /// What the destination answers the second time.
        var incomingLater: [StreamReport.Incoming]?
    }

    static let a = "plant-a/agent"
    static let b = "plant-b/agent"
    static let stream = String(repeating: "0a", count: 16)

    private func made(
        _ sent: UInt64, receipted: UInt64, stream: String = stream, job: String = "rows", ago: Int64 = 60,
        expired: [StreamReport.Range] = [], ended: Bool = false
    ) -> StreamReport.Outgoing {
        StreamReport.Outgoing(
            stream: stream, job: job, destination: Self.b, records: sent * 100, sent: sent, receipted: receipted,
            expired: expired, expiredEnvelopes: expired.reduce(0) { $0 + $1.last - $1.first + 1 },
            first: Samples.before(ago + 10), last: Samples.before(ago), hasEnded: ended)
    }

    private func taken(
        _ delivered: UInt64, stream: String = stream, ago: Int64 = 60, skipped: [StreamReport.Range] = []
    ) -> StreamReport.Incoming {
        StreamReport.Incoming(
            source: Self.a, stream: stream, delivered: delivered, skipped: skipped, first: Samples.before(ago + 10),
            last: Samples.before(ago))
    }

    private func aside(_ kind: String, _ sequence: UInt64, stream: String = stream) -> QuarantineReport.Entry {
        var entry = QuarantineReport.Entry(id: "0a-\(sequence)", kind: kind, reason: "does not fit", bytes: 9)
        (entry.source, entry.destination, entry.stream, entry.sequence) = (Self.a, Self.b, stream, sequence)
        return entry
    }

    /// - Parameter destination: whether it is asked too.
    private func run(_ mesh: Mesh, _ words: [String] = [], destination: Bool = true) throws -> Stage.Outcome {
        let looks = Mutex(0)
        let source = try Stage { request in
            switch request.path {
            case "/v1/streams":
                let isFirst = looks.withLock { looks in
                    looks += 1
                    return looks == 1
                }
                let outgoing = isFirst ? mesh.outgoing : mesh.outgoingLater ?? mesh.outgoing
                return .json(
                    status: 200,
                    StreamReport(node: Self.a, asOf: Samples.now, outgoing: outgoing, incoming: []))
            case "/v1/quarantine":
                return .json(status: 200, QuarantineReport(node: Self.a, asOf: Samples.now, envelopes: []))
            default: return .problem(status: 404, "no \(request.path)")
            }
        }
        let destinationLooks = Mutex(0)
        let other = try Stage { request in
            switch request.path {
            case "/v1/streams":
                let isFirst = destinationLooks.withLock { looks in
                    looks += 1
                    return looks == 1
                }
                let incoming = isFirst ? mesh.incoming : mesh.incomingLater ?? mesh.incoming
                return .json(
                    status: 200,
                    StreamReport(
                        node: Self.b, asOf: Samples.now, outgoing: [], incoming: incoming, forgotten: mesh.forgotten))
            case "/v1/quarantine":
                return .json(status: 200, QuarantineReport(node: Self.b, asOf: Samples.now, envelopes: mesh.aside))
            default:
                let stream = String(request.path.split(separator: "/").last ?? "")
                let mark = mesh.marks[stream] ?? 0
                return .json(
                    status: 200,
                    StreamMarks(node: Self.b, stream: stream, sinks: [.init(name: "table", delivered: mark)]))
            }
        }
        return source.run(["reconcile", source.socket] + (destination ? [other.socket] : []) + words)
    }

    // MARK: What is well

    @Test func whatIsAllDeliveredIsComplete() throws {
        let outcome = try run(
            Mesh(
                outgoing: [
                    made(40, receipted: 40), made(2, receipted: 2, stream: String(repeating: "0b", count: 16)),
                ], incoming: [taken(40), taken(2, stream: String(repeating: "0b", count: 16))]))
        #expect(outcome.code == .ok)
        #expect(
            outcome.output == """
                SOURCE         JOB   DESTINATION     READ  SENT  RECEIPTED  DELIVERED  STATE
                plant-a/agent  rows  plant-b/agent  4,200    42         42         42  complete

                """)
        #expect(outcome.talk == "all that was sent is delivered\n")
    }

    @Test func whatIsUnderWayIsNoFault() throws {
        let outcome = try run(Mesh(outgoing: [made(40, receipted: 30)], incoming: [taken(35)]))
        #expect(outcome.code == .ok && outcome.talk.isEmpty)
        #expect(outcome.output.contains("4,000    40         30         35  under way"))
        #expect(outcome.output.contains("underWay  plant-a/agent  rows  plant-b/agent  \(Self.stream)      36-40"))
    }

    @Test func whatWasSentMeanwhileIsNoFinding() throws {
        let outcome = try run(
            Mesh(
                outgoing: [made(40, receipted: 40)], incoming: [taken(50)], outgoingLater: [made(60, receipted: 50)],
                incomingLater: [taken(60)]))
        #expect(outcome.code == .ok && !outcome.output.contains("beyond"))
        #expect(outcome.output.contains("40         40         40  complete"))
    }

    @Test func aDestinationThatWasNotAskedIsUnknown() throws {
        let outcome = try run(Mesh(outgoing: [made(40, receipted: 40)]), destination: false)
        #expect(outcome.code == .ok)
        #expect(outcome.output.contains("40         40          -  unknown"))
    }

    @Test func aLedgerOlderThanACrashIsMadeGoodByTheSink() throws {
        let mesh = Mesh(outgoing: [made(40, receipted: 40)], incoming: [taken(10)], marks: [Self.stream: 40])
        let outcome = try run(mesh)
        #expect(outcome.code == .ok && outcome.output.contains("40         40         40  complete"))
        // So is one that was lost.
        let lost = Mesh(outgoing: [made(40, receipted: 40)], marks: [Self.stream: 40])
        #expect(try run(lost).code == .ok)
    }

    // MARK: What needs a person

    @Test func whatIsReceiptedAndNotDeliveredIsLost() throws {
        let outcome = try run(Mesh(outgoing: [made(45, receipted: 40)], incoming: [taken(10)], marks: [Self.stream: 9]))
        #expect(outcome.code == .failed)
        #expect(outcome.talk.contains("not all that was sent is delivered: 1 lost"))
        #expect(outcome.output.contains("40         10  gap"))
        #expect(outcome.output.contains("\(Self.stream)      11-40  plant-a/agent has receipts"))
        #expect(outcome.output.contains("41-45  sent, not delivered yet"))
        // However old it is.
        let old = Mesh(outgoing: [made(40, receipted: 40, ago: 90 * 86_400, ended: true)])
        #expect(try run(old).code == .failed)
    }

    @Test func whatASinkWentOnBehindIsLost() throws {
        let skipped = [StreamReport.Range(first: 5, last: 12)]
        let outcome = try run(
            Mesh(
                outgoing: [made(40, receipted: 40, expired: [.init(first: 7, last: 8)])],
                incoming: [taken(40, skipped: skipped)]))
        #expect(outcome.code == .failed && outcome.talk.contains("2 lost, 1 expired"))
        #expect(outcome.output.contains(" 5-6  plant-b/agent went on behind them"))
        #expect(outcome.output.contains("9-12  plant-b/agent went on behind them"))
    }

    @Test func whatIsKeptAsideIsTold() throws {
        let outcome = try run(
            Mesh(
                outgoing: [made(40, receipted: 40)], incoming: [taken(40)],
                aside: [aside("rejected", 12), aside("unopened", 3), aside("damaged", 4)]))
        #expect(outcome.code == .failed)
        #expect(outcome.talk.contains("1 quarantined"), "the unopened one has come again since")
        #expect(outcome.output.contains("12  rejected at plant-b/agent, 0a-12: does not fit"))
        let waiting = try run(
            Mesh(outgoing: [made(40, receipted: 2)], incoming: [taken(2)], aside: [aside("unopened", 3)]))
        #expect(waiting.code == .failed && waiting.output.contains("gap"))
        // Of a stream that its source does not know.
        let stray = try run(Mesh(aside: [aside("rejected", 1)]))
        #expect(stray.code == .failed && stray.output.contains("quarantined  plant-a/agent  -    plant-b/agent"))
    }

    @Test func whatExpiredIsTold() throws {
        let outcome = try run(
            Mesh(
                outgoing: [made(40, receipted: 38, expired: [.init(first: 39, last: 40)], ended: true)],
                incoming: [taken(38)]))
        #expect(outcome.code == .failed && outcome.talk.contains("1 expired"))
        #expect(outcome.output.contains("39-40  lived out their lifetime") && !outcome.output.contains("underWay"))
        // What expired long ago was told when it did.
        let old = try run(
            Mesh(
                outgoing: [
                    made(40, receipted: 38, ago: 90_000, expired: [.init(first: 39, last: 40)], ended: true)
                ], incoming: [taken(38)]))
        #expect(old.code == .ok && old.talk.contains("nothing was sent in the last 24 h"))
        #expect(try run(Mesh(outgoing: [made(4, receipted: 4, ago: 90_000)]), ["--since", "2d"]).code == .failed)
    }

    @Test func moreExpiredThanIsListed() throws {
        var entry = made(900, receipted: 900, expired: [.init(first: 500, last: 500)], ended: true)
        entry.expiredEnvelopes = 300
        let outcome = try run(Mesh(outgoing: [entry], incoming: [taken(900)]))
        #expect(outcome.code == .failed && outcome.output.contains("1-499  of these others expired; 300 of the stream"))
    }

    @Test func whatASourceDoesNotKnowOfIsARemark() throws {
        let outcome = try run(Mesh(outgoing: [made(40, receipted: 40)], incoming: [taken(44)]))
        #expect(outcome.code == .ok)
        #expect(outcome.output.contains("beyond   plant-a/agent  rows") && outcome.output.contains("41-44  delivered"))
        let unknown = try run(Mesh(incoming: [taken(3)]))
        #expect(unknown.code == .ok && unknown.output.contains("1-3  delivered"))
    }

    @Test func whatNobodyCanSayIsUndetermined() throws {
        let silent = Mesh(outgoing: [made(40, receipted: 40)], incoming: [taken(10)], marks: [Self.stream: nil])
        let outcome = try run(silent)
        #expect(outcome.code == .failed && outcome.talk.contains("1 undetermined"))
        #expect(outcome.output.contains("no answer from its sink table") && outcome.output.contains("unknown"))
        // A destination with more streams than it can remember.
        let forgotten = Mesh(
            outgoing: [made(40, receipted: 40, ago: 3600)],
            incoming: [taken(1, stream: String(repeating: "0c", count: 16), ago: 60)],
            forgotten: .init(outgoing: 0, incoming: 7))
        let old = try run(forgotten)
        #expect(old.code == .ok && old.output.contains("remembers no stream as old as this"))
    }

    @Test func sinksAreBelievedWhereThatIsAskedFor() throws {
        let mesh = Mesh(outgoing: [made(40, receipted: 40)], incoming: [taken(40)], marks: [Self.stream: 25])
        #expect(try run(mesh).code == .ok)
        let outcome = try run(mesh, ["--sinks"])
        #expect(outcome.code == .failed && outcome.output.contains("26-40"))
    }

    // MARK: For programs

    @Test func programsReadNumbers() throws {
        let outcome = try run(
            Mesh(outgoing: [made(45, receipted: 40)], incoming: [taken(10)]), ["-o", "json", "--since", "1h"])
        #expect(outcome.code == .failed)
        for line in [
            "\"delivered\" : 10", "\"kind\" : \"lost\"", "\"first\" : 11", "\"last\" : 40", "\"sinceSeconds\" : 3600",
            "\"state\" : \"gap\"", "\"isFault\" : true", "\"kind\" : \"underWay\"", "\"stream\" : \"\(Self.stream)\"",
        ] {
            #expect(outcome.output.contains(line), "\(line)")
        }
    }

    @Test func whatIsNotUnderstoodIsSaid() throws {
        let stage = try Stage { _ in .problem(status: 404, "no such path") }
        for words in [[], ["/nowhere"], [stage.socket, "--since", "soon"]] {
            let outcome = stage.run(["reconcile"] + words)
            #expect(outcome.code != .ok && !outcome.talk.isEmpty)
        }
        #expect(stage.run(["reconcile", stage.socket]).talk.contains("relays know of no streams"))
    }

    @Test func noNumberOfAStrangerIsTooLarge() throws {
        let wild = StreamReport.Outgoing(
            stream: Self.stream, job: "\u{1B}[2J", destination: "no name", records: .max, sent: .max, receipted: .max,
            expired: [.init(first: 9, last: 3), .init(first: 0, last: .max), .init(first: .max, last: .max)],
            expiredEnvelopes: .max, first: WallTime(milliseconds: .min), last: WallTime(milliseconds: .max))
        var known = wild
        known.destination = Self.b
        let outcome = try run(
            Mesh(
                outgoing: [wild, known, known], incoming: [taken(0, skipped: [.init(first: 0, last: .max)])],
                forgotten: .init(outgoing: .max, incoming: .max)))
        #expect(outcome.code == .failed && !outcome.output.contains("\u{1B}"))
    }
}
