import AgentCore
import Envelope
import Keyring
import Mesh

/// Opens what arrives and brings it, in the order of its stream, to a sink that takes time, fails, and outlives the
/// process: its effects and marks are the ledger's.
final class SimulatedSink {
    private struct Item {
        var instance: InstanceID
        var source: NodeID
        var stream: StreamID
        var sequence: Sequence
        var batch: [UInt8]
    }

    private static let applyToken: UInt64 = 2
    private static let tellToken: UInt64 = 3

    private let host: Host
    private let ledger: DataLedger
    private let faults: Double
    private var opener: Opener
    private var order = DeliveryOrder<Item>(memoryBytes: 1 << 20)
    private var applying: [Item] = []
    private var outcomes: [DeliveryOutcome] = []

    init(_ host: Host, _ keychain: Keychain, _ ledger: DataLedger, faults: Double) {
        self.host = host
        self.ledger = ledger
        self.faults = faults
        opener = Opener(keychain)
    }

    func takeOutcomes() -> [DeliveryOutcome] {
        defer { outcomes = [] }
        return outcomes
    }

    func take(_ arrival: Arrival) {
        let batch: [UInt8]
        do throws(OpenError) { batch = try opener.open(arrival.envelope) } catch {
            return host.fail("what arrived does not open: \(error)")
        }
        let item = Item(
            instance: arrival.instance, source: arrival.header.source, stream: arrival.header.stream,
            sequence: arrival.header.sequence, batch: batch)
        if !order.knows(item.stream) { order.add(item.stream, mark: ledger.mark(of: item.stream, at: host)) }
        let verdict = order.offer(
            item.stream, item.sequence, floor: arrival.header.floor, bytes: batch.count, token: item)
        switch verdict {
        case .waits: break
        case .duplicate:
            outcomes.append(.finished(item.instance))
            if let mark = order.mark(of: item.stream) {
                outcomes.append(.mark(source: item.source, stream: item.stream, mark))
            }
        case .turnedAway: outcomes.append(.giveBack(item.instance, .seconds(1)))
        }
        applyNext()
    }

    private func applyNext() {
        guard applying.isEmpty else { return }
        applying = order.takeReady(bytes: 64 << 10).map(\.token)
        guard !applying.isEmpty else { return }
        host.after(host.random.duration(in: .microseconds(100) ... .milliseconds(5)), token: Self.applyToken)
    }

    /// The sink's time has passed: first comes the effect, a moment later the word about it.
    func operationFinished(_ token: UInt64) -> [DeliveryOutcome] {
        if token == Self.applyToken {
            let fails = host.random.chance(faults)
            if !fails || host.random.chance(0.5) { apply() }
            if fails { fail() } else { host.after(.microseconds(50), token: Self.tellToken) }
        } else if token == Self.tellToken {
            tell()
        }
        applyNext()
        return takeOutcomes()
    }

    private func apply() {
        for item in applying { ledger.apply(item.batch, item.stream, item.sequence, at: host) }
    }

    /// Whether the commit had its effect is not known: all goes back, and the marks are asked anew.
    private func fail() {
        host.trace("sink failed")
        let held = applying + order.removeAll()
        applying = []
        outcomes += held.map { .giveBack($0.instance, .seconds(1)) }
    }

    private func tell() {
        for item in applying {
            order.applied(item.stream, through: item.sequence)
            outcomes.append(.finished(item.instance))
            outcomes.append(.mark(source: item.source, stream: item.stream, item.sequence))
        }
        applying = []
    }
}
