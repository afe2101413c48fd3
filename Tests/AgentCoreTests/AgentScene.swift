import Envelope
import Mesh
import TestSupport
import Testing

@testable import AgentCore
@testable import Journal

/// An agent's machine with its gate, a journal in memory and a relay as its neighbour, all driven by hand.
final class AgentScene {
    static let agent = node("plant-a/agent")
    static let relay = node("plant-a/relay")
    static let peer = node("plant-b/agent")
    static let job = "rows"

    var now = Sample.now
    var machine: AgentMachine<WordTrust>
    var gate: OutboxGate
    var exchange: Exchange
    var relay: Exchange
    var batch = JournalBatch()
    var journal = ToyJournal()
    /// The journal does nothing by itself.
    var isJournalSlow = false
    private var wire: Wire?
    private var wires: UInt64 = 0
    /// What has come to the relay and is kept there, in order.
    private(set) var atRelay: [[UInt8]] = []
    private(set) var facts: [AgentFact] = []
    let boot = Bytes16(low: 5, high: 6)

    init() {
        machine = Self.machine(boot)
        gate = OutboxGate(machineBoot: boot)
        gate.isOpen = true
        exchange = Self.exchange()
        relay = Exchange(
            node: Self.relay, kind: .relay, software: "test",
            forwarder: Forwarder(
                Forwarder.Configuration(
                    memoryBytes: 1 << 20, durability: .storeFirst, wordPause: .zero, hasStore: true),
                locals: [Self.id(Self.relay)], policy: .open))
        relay.forwarder.setRoutes(RouteTable(fixed: [Self.id(Self.agent): [Self.id(Self.agent)]]))
    }

    private static func machine(_ boot: Bytes16) -> AgentMachine<WordTrust> {
        AgentMachine(
            identity: id(agent), machineBoot: boot, trust: WordTrust(), resendAfter: .seconds(60),
            receiptStream: Sample.stream(999))
    }

    private static func exchange() -> Exchange {
        var forwarder = Forwarder(
            Forwarder.Configuration(memoryBytes: 1 << 20, wordPause: .zero, hasStore: false), locals: [id(agent)],
            policy: .open)
        forwarder.setRoutes(RouteTable(always: [id(relay)]))
        return Exchange(node: agent, kind: .agent, software: "test", forwarder: forwarder)
    }

    static func node(_ text: String) -> NodeName {
        guard let name = try? NodeName(text) else { fatalError("not a name: \(text)") }
        return name
    }

    static func id(_ name: NodeName) -> NodeID {
        NodeID(Bytes16(low: UInt64(CRC32C.checksum(of: Array(name.description.utf8))), high: 9))
    }

    // MARK: Turns

    func connect() {
        wires += 1
        wire = Wire(wires, &exchange, Self.agent, &relay, Self.relay, at: now) { Self.id($0) }
        turn()
    }

    func disconnect() {
        guard let wire else { return }
        self.wire = nil
        exchange.close(wire.near, at: now)
        relay.close(wire.far, at: now)
        turn()
    }

    /// Everything that can happen without time happens.
    func turn() {
        for _ in 0..<1000 {
            _ = exchange.takeEvents()
            exchange.resume(at: now)
            machine.perform(exchange.takeEffects(), &exchange, &batch, at: now)
            if !isJournalSlow { runJournal() }
            exchange.settle(at: now)
            turnRelay()
            facts += machine.takeFacts()
            let moved = wire?.carry(&exchange, &relay, at: now) ?? false
            if !moved, !exchange.hasWork, isJournalSlow || batch.isEmpty { return }
        }
        Issue.record("the scene does not come to rest")
    }

    private func turnRelay() {
        _ = relay.takeEvents()
        relay.resume(at: now)
        for case .store(let id) in relay.takeEffects() {
            if let bytes = relay.forwarder.bytes(of: id) { atRelay.append(Array(bytes)) }
            relay.forwarder.stored(id, as: UInt64(atRelay.count), at: now)
        }
        relay.settle(at: now)
    }

    /// The journal does what it was asked, and what it says is told to the machine.
    func runJournal() {
        let completions = journal.run(&batch)
        guard !completions.isEmpty else { return }
        machine.complete(completions, &exchange, &batch, at: now) { gate.take($0) }
    }

    func advance(_ time: Duration) {
        now = now + time
        exchange.timeReached(now)
        relay.timeReached(now)
        machine.timeReached(now, wall: WallTime(milliseconds: 0), &exchange, &batch)
        turn()
    }

    /// Killed and started again: what is in memory is gone, the journal is as it was.
    /// - Parameter ledger: the copy of the machine's ledger that the disk has.
    func restart(ledger: [UInt8] = []) {
        disconnect()
        batch.removeAll()
        facts = []
        machine = Self.machine(boot)
        machine.ledger = StreamLedger(file: ledger) ?? StreamLedger()
        gate = OutboxGate(machineBoot: boot)
        gate.isOpen = true
        exchange = Self.exchange()
        for (lsn, record) in journal.records.sorted(by: { $0.key < $1.key }) {
            recover(lsn, record.kind, record.bytes)
        }
        machine.recovered(&batch)
        machine.settle(&exchange, &batch, at: now)
    }

    func recover(_ lsn: UInt64, _ kind: RecordKind, _ bytes: [UInt8]) {
        bytes.prefix(OutboxRecord.replayPrefix).withUnsafeBytes { prefix in
            machine.recover(
                ReplayedRecord(lsn: LSN(lsn), kind: kind, length: bytes.count, prefix: prefix), &exchange, at: now)
        }
    }

    func takeFacts() -> [AgentFact] {
        facts += machine.takeFacts()
        defer { facts = [] }
        return facts
    }

    // MARK: What an agent makes

    static func stream(_ number: UInt64, job: String = job) -> OutboxStream {
        OutboxStream(
            id: Sample.stream(number), job: job, destination: id(peer), lane: .live, chain: number)
    }

    static func envelope(_ stream: UInt64, _ sequence: UInt64, lifetime: UInt32 = 3600, body: Int = 20) -> [UInt8] {
        let header = Header(
            kind: .data, lane: .live, source: id(agent), destination: id(peer), stream: Sample.stream(stream),
            sequence: Sequence(sequence), floor: Sequence(1), created: WallTime(milliseconds: 0), lifetime: lifetime,
            key: KeyID(Bytes16(low: 1, high: 1)), bodyLength: UInt32(body))
        return header.encoded + [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: body)
    }

    /// Hands an envelope to the gate.
    /// - Returns: its token, and whether the gate wants a retry.
    @discardableResult
    func submit(
        _ stream: UInt64, _ sequence: UInt64, checkpoint: [UInt8]? = nil, job: String = job, lifetime: UInt32 = 3600,
        body: Int = 20
    ) -> (token: UInt64, needsRetry: Bool) {
        gate.submit(
            Submission(
                stream: Self.stream(stream, job: job), sequence: Sequence(sequence),
                envelope: Self.envelope(stream, sequence, lifetime: lifetime, body: body), lifetime: lifetime,
                records: 1, checkpoint: checkpoint, madeAt: now), &batch, at: now)
    }

    // Not in an expectation, which cannot change what it looks at.
    func refuse(_ token: UInt64) -> Bool { gate.refuse(token) }
    func retryAll() -> Bool { gate.retryAll(&batch, at: now) }

    // MARK: What comes to it

    /// The relay hands over an envelope, or bytes that are none.
    func bring(_ envelope: [UInt8]) {
        envelope.withUnsafeBytes { bytes in
            relay.forwarder.originate(
                Forwarder.Origin(
                    destination: Self.id(Self.agent), lane: .control, length: bytes.count, lifetime: 3600, owner: 7,
                    stored: 0), bytes, at: now)
        }
        turn()
    }

    func arrival(
        _ kind: Header.Kind, from source: NodeName = peer, stream: UInt64 = 77, body: [UInt8] = [1, 2, 3]
    ) -> [UInt8] {
        let header = Header(
            kind: kind, lane: .control, source: Self.id(source), destination: Self.id(Self.agent),
            stream: Sample.stream(stream), sequence: Sequence(1), floor: Sequence(1),
            created: WallTime(milliseconds: 0),
            lifetime: 3600, key: KeyID(Bytes16(low: 1, high: 1)), bodyLength: UInt32(body.count))
        return header.encoded + body
    }

    /// - Parameter word: what its trust looks at.
    func bringReceipt(
        _ stream: UInt64, _ mark: UInt64, from source: NodeName = peer, word: UInt8 = WordTrust.genuine
    ) {
        let entries = [Receipt.Entry(stream: Sample.stream(stream), mark: Sequence(mark))]
        bring(arrival(.receipt, from: source, body: WordTrust.receipt(entries, word).encoded))
    }

    // Copies, since an expectation cannot look into what is not copyable.
    var counters: Counters { exchange.forwarder.counters }
    var atRelayCounters: Counters { relay.forwarder.counters }
    var kept: Int { machine.envelopesKept }
    var bytesKept: Int { machine.bytesKept }
    var deadline: Instant { machine.nextDeadline }
    func checkpoint(_ job: String = job) -> [UInt8]? { machine.checkpoint(of: job) }
    func awaits(_ job: String = job) -> Bool { machine.awaitsCheckpoint(of: job) }
    func isDurable(_ stream: UInt64, _ sequence: UInt64) -> Bool? {
        machine.isDurable(Sample.stream(stream), Sequence(sequence))
    }
    func isReceipted(_ stream: UInt64, _ sequence: UInt64) -> Bool? {
        machine.isReceipted(Sample.stream(stream), Sequence(sequence))
    }
}

/// Believes receipts whose certificate is the right word.
struct WordTrust: ReceiptTrust {
    static let genuine: UInt8 = 1

    static func receipt(_ entries: [Receipt.Entry], _ word: UInt8) -> Receipt {
        Receipt(
            entries: entries, certificate: [word],
            signature: [UInt8](repeating: word, count: Receipt.signatureBytes))
    }

    func receipt(for source: NodeID, _ entries: [Receipt.Entry]) -> Receipt { Self.receipt(entries, Self.genuine) }

    func verify(_ receipt: Receipt, from destination: NodeID, to source: NodeID) -> Bool {
        receipt.certificate == [Self.genuine] && source == AgentScene.id(AgentScene.agent)
    }
}

/// Records by their number, and answers as a journal gives them.
struct ToyJournal {
    private(set) var records: [UInt64: (kind: RecordKind, bytes: [UInt8])] = [:]
    private var last: UInt64 = 0
    /// Of appends.
    var refusal: JournalError?
    /// Of reads.
    var fault: JournalError?
    private(set) var reads: [UInt64] = []

    static let diskFault = JournalError.file(
        FileError(.read, path: "/outbox", kind: .other, reason: "input/output error"))

    mutating func put(_ lsn: UInt64, _ kind: RecordKind, _ bytes: [UInt8]) { records[lsn] = (kind, bytes) }

    mutating func run(_ batch: inout JournalBatch) -> [JournalCompletion] {
        var completions: [JournalCompletion] = []
        batch.walk { operation, copied in
            switch operation {
            case .append(let kind, let token, _, let held, _, _):
                if let refusal {
                    return completions.append(JournalCompletion(token: token, lsn: .none, outcome: .refused(refusal)))
                }
                let bytes = Array(copied) + (held.map { batch.held[$0].bytes } ?? [])
                last += 1
                records[last] = (kind, bytes)
                completions.append(JournalCompletion(token: token, lsn: LSN(last), outcome: .durable))
            case .mend: break
            case .release(let lsn, let token):
                if records.removeValue(forKey: lsn.number) == nil { Issue.record("released twice: \(lsn)") }
                if let token { completions.append(JournalCompletion(token: token, lsn: lsn, outcome: .released)) }
            case .read(let lsn, let token):
                reads.append(lsn.number)
                let outcome: JournalCompletion.Outcome =
                    if let fault { .refused(fault) } else if let record = records[lsn.number] {
                        .bytes(record.kind, record.bytes)
                    } else { .refused(.notFound(lsn)) }
                completions.append(JournalCompletion(token: token, lsn: lsn, outcome: outcome))
            }
        }
        batch.removeAll()
        return completions
    }
}
