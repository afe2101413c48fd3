import Envelope
import Link
import Testing

@testable import Mesh

/// A node of the ``World``: an exchange, a store that takes its time, and a sink that does too.
final class ToyNode {
    let name: NodeName
    let id: NodeID
    let kind: NodeKind
    let configuration: Forwarder.Configuration
    unowned let world: World
    var exchange: Exchange
    var store = ToyStore()
    /// Local deliveries that wait for their effect.
    var sink: [InstanceID] = []
    /// Its store and sink do nothing by themselves while the world flows.
    var isSlow = false
    /// Its store fails reads, though what it holds is whole.
    var failsReads = false
    /// Its sink gives everything back.
    var isBusy = false
    var established = 0
    /// Called when a neighbour has introduced itself.
    var whenEstablished: (ToyNode) -> Void = { _ in }
    var endings: [SessionError] = []
    var damaged = 0
    /// Receipts its forwarder wants judged.
    var receipts: [[UInt8]] = []

    init(_ name: NodeName, _ kind: NodeKind, _ configuration: Forwarder.Configuration, world: World) {
        self.name = name
        self.kind = kind
        self.configuration = configuration
        self.world = world
        id = NodeID(Bytes16(low: UInt64(world.nodes.count + 1), high: 0))
        exchange = Self.exchange(name, id, kind, configuration)
    }

    private static func exchange(
        _ name: NodeName, _ id: NodeID, _ kind: NodeKind, _ configuration: Forwarder.Configuration
    ) -> Exchange {
        Exchange(
            node: name, kind: kind, software: "toy",
            forwarder: Forwarder(configuration, locals: [id], policy: .open))
    }

    func setRoutes(_ ways: [(to: ToyNode, via: [ToyNode])]) {
        var table: [NodeID: [NodeID]] = [:]
        for way in ways { table[way.to.id] = way.via.map(\.id) }
        exchange.forwarder.setRoutes(RouteTable(fixed: table))
        world.turn(self)
    }

    /// Killed and started anew: memory is gone, the store is as it was.
    func restart() {
        for wire in world.wires {
            for end in [0, 1] where wire.ends[end].node === self { wire.ends[end].session = nil }
        }
        exchange = Self.exchange(name, id, kind, configuration)
        sink = []
        store.pending = []
        for (token, record) in store.records.sorted(by: { $0.key < $1.key }) {
            guard let header = try? Header(record.bytes) else { continue }
            exchange.forwarder.recovered(
                header: header, hop: record.hop, length: record.bytes.count, stored: token, at: world.now)
        }
        for wire in world.wires where !wire.isCut && wire.ends.contains(where: { $0.node === self }) {
            world.cut(wire)
        }
    }

    // MARK: Effects

    func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .store(let id): write(id)
            case .forget(let stored): forget(stored)
            case .fetch(let id, let stored):
                store.pending.append(
                    .read(id, kind == .agent ? world.ledger.atSource[stored] : store.records[stored]?.bytes))
            case .deliver(let id): sink.append(id)
            case .departed(let owner): depart(owner)
            case .expired(let dropped):
                if dropped.owner != 0 { world.ledger.expire(dropped.owner) }
                noteExpired()
            case .damaged: damaged += 1
            case .receipt(let envelope): receipts.append(envelope)
            case .refuse: Issue.record("a refusal reached the shell")
            }
        }
    }

    private func forget(_ stored: UInt64) {
        guard let number = store.remove(stored) else { return }
        world.ledger.check(number, world)
    }

    private func depart(_ number: UInt64) {
        world.ledger.depart(number)
        world.ledger.check(number, world)
    }

    /// An expiry names no envelope; those whose life is over are known by the world's clock.
    private func noteExpired() {
        for (number, bytes) in world.ledger.atSource {
            if let header = try? Header(bytes), header.lifetime < 1000 { world.ledger.expire(number) }
        }
    }

    private func write(_ id: InstanceID) {
        guard let bytes = exchange.forwarder.bytes(of: id), let hop = exchange.forwarder.hop(of: id, at: world.now)
        else {
            Issue.record("a write was asked for whose bytes are gone")
            return
        }
        store.pending.append(.write(id, ToyStore.Record(Array(bytes), hop)))
    }

    /// Completes the oldest operation of the store; false where there is none.
    func completeStore() -> Bool {
        guard !store.pending.isEmpty else { return false }
        switch store.pending.removeFirst() {
        case .write(let id, let record):
            if store.records.count >= store.limit || store.isFailing {
                exchange.forwarder.storeFailed(id, at: world.now)
            } else {
                exchange.forwarder.stored(id, as: store.add(record), at: world.now)
            }
        case .read(let id, let bytes):
            store.reads += 1
            guard !failsReads else {
                exchange.forwarder.fetchFailed(id, at: world.now)
                break
            }
            if let bytes {
                bytes.withUnsafeBytes { exchange.forwarder.fetched(id, $0, at: world.now) }
            } else {
                exchange.forwarder.fetched(id, nil, at: world.now)
            }
        }
        world.turn(self)
        return true
    }

    /// Completes or gives back the oldest local delivery; false where there is none.
    func finishDelivery() -> Bool {
        guard !sink.isEmpty else { return false }
        let id = sink.removeFirst()
        if isBusy {
            exchange.forwarder.giveBack(id, .destinationBusy, delay: .milliseconds(200), at: world.now)
        } else {
            if let bytes = exchange.forwarder.bytes(of: id), let header = try? Header(bytes) {
                let number = header.sequence.number
                if let sent = world.ledger.atSource[number] {
                    if sent != Array(bytes) { Issue.record("envelope \(number) was altered") }
                }
                world.ledger.deliver(number)
            }
            exchange.forwarder.finished(id, at: world.now)
        }
        world.turn(self)
        return true
    }

    // MARK: Checks

    /// accepted = delivered + handedOver + expired + lost + present
    func checkCounters() {
        let counters = exchange.forwarder.counters
        let holdings = exchange.forwarder.holdings
        let gone =
            counters.delivered + counters.handedOver + counters.receipted + counters.expired + counters.lost
        let present = holdings.queued + holdings.underWay
        if holdings.underWay < 0 || counters.accepted != gone + UInt64(max(0, present)) {
            Issue.record("\(name): accepted \(counters.accepted), gone \(gone), present \(present)")
        }
        checkAccounts(accepted: counters.accepted, present: present)
    }

    /// Every flow balances, and flows, lanes and sources each add up to the whole.
    private func checkAccounts(accepted: UInt64, present: Int) {
        let flows = exchange.forwarder.flowFigures
        let all = [flows.other, flows.answers] + flows.flows.map(\.1)
        for account in all + exchange.forwarder.laneFigures.map(\.1) {
            let counters = account.counters
            let gone = counters.delivered + counters.expired + counters.lost
            if counters.accepted != gone + UInt64(account.envelopes) { Issue.record("\(name): \(account)") }
        }
        let held = exchange.forwarder.sourceFigures.map(\.1.envelopes).reduce(0, +)
        if all.map(\.envelopes).reduce(0, +) != present || held != present
            || all.map(\.counters.accepted).reduce(0, +) != accepted
        {
            Issue.record("\(name): accounts hold \(all.map(\.envelopes)) and \(held), present are \(present)")
        }
    }

    // Copies, since an expectation cannot look into what is not copyable.
    var flowFigures: [String: Forwarder.AccountFigures] {
        Dictionary(uniqueKeysWithValues: exchange.forwarder.flowFigures.flows.map { ($0.name, $0.1) })
    }
    var otherFigures: Forwarder.AccountFigures { exchange.forwarder.flowFigures.other }
    var answerFigures: Forwarder.AccountFigures { exchange.forwarder.flowFigures.answers }
    func figures(of lane: Lane) -> Forwarder.AccountFigures? {
        exchange.forwarder.laneFigures.first { $0.lane == lane }?.1
    }
    func figures(of source: ToyNode) -> Forwarder.AccountFigures? {
        exchange.forwarder.sourceFigures.first { $0.source == source.id }?.1
    }
    var counters: Counters { exchange.forwarder.counters }
    var holdings: Forwarder.Holdings { exchange.forwarder.holdings }
    var owesCustody: Bool { exchange.forwarder.owesCustody }
    func hasLink(to peer: ToyNode) -> Bool { exchange.forwarder.isEstablished(peer.id) }

    var isEmpty: Bool {
        let holdings = exchange.forwarder.holdings
        return holdings.queued == 0 && holdings.underWay == 0
    }
}

/// Records that outlive their node, and operations that have not happened yet.
struct ToyStore {
    struct Record {
        var bytes: [UInt8]
        var hop: HopFields
        var number: UInt64

        init(_ bytes: [UInt8], _ hop: HopFields) {
            self.bytes = bytes
            self.hop = hop
            number = (try? Header(bytes))?.sequence.number ?? 0
        }
    }

    enum Operation {
        case write(InstanceID, Record)
        case read(InstanceID, [UInt8]?)
    }

    private(set) var records: [UInt64: Record] = [:]
    /// How many records hold an envelope, by its number.
    private(set) var copies: [UInt64: Int] = [:]
    var pending: [Operation] = []
    var limit = Int.max
    var isFailing = false
    var writes = 0
    var reads = 0
    private var last: UInt64 = 0

    mutating func add(_ record: Record) -> UInt64 {
        last += 1
        writes += 1
        records[last] = record
        copies[record.number, default: 0] += 1
        return last
    }

    /// - Returns: the number of the envelope that was forgotten.
    mutating func remove(_ token: UInt64) -> UInt64? {
        guard let record = records.removeValue(forKey: token) else {
            Issue.record("forgets a record that is not there")
            return nil
        }
        copies[record.number, default: 0] -= 1
        return record.number
    }
}
