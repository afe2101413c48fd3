import Crypto
import Envelope
import Link

@testable import Mesh

extension Target {
    static let exchange = Target(
        "exchange", "two nodes and all that may happen between them", longest: 512,
        seeds: {
            [
                ("calm", [0, 9, 0, 1, 200, 2, 9, 2, 9, 3, 9, 4, 200]),
                ("cut", [0, 200, 1, 9, 2, 60, 5, 0, 200, 2, 9, 4, 255, 6, 2]),
                ("large", [0, 255, 0, 255, 2, 255, 7, 1, 2, 255, 5, 2, 9]),
            ]
        },
        run: { input in
            var choices = Choices(input)
            var pair = ExchangePair()
            while !choices.isAtEnd { pair.act(&choices) }
            pair.heal()
        })
}

/// A node that makes envelopes and the one they are for, joined by two pipes that somebody cuts.
private struct ExchangePair: ~Copyable {
    private static let names = [Sample.peer, Sample.here]

    private var sides: [Side]
    private var now = Instant(nanoseconds: 1)
    private var sessions: UInt64 = 0
    private var ended = 0
    private var made: [UInt64: [UInt8]] = [:]
    private var departed: Set<UInt64> = []
    private var delivered: Set<[UInt8]> = []

    /// A node with what it has written to its store and to the wire.
    private final class Side {
        var exchange: Exchange
        var session: SessionID?
        var wire: [UInt8] = []
        var store: [UInt64: [UInt8]] = [:]
        var nextStored: UInt64 = 1 << 32
        /// Deliveries not answered yet.
        var arrivals: [InstanceID] = []
        var storeFails = false

        init(_ name: NodeName) {
            var forwarder = Forwarder(
                .init(memoryBytes: 1 << 20, hasStore: true), locals: [NodeID(of: name)], policy: .open)
            forwarder.setRoutes(RouteTable(always: ExchangePair.names.filter { $0 != name }.map { NodeID(of: $0) }))
            exchange = Exchange(node: name, kind: .relay, software: "fuzz", forwarder: forwarder)
        }
    }

    init() {
        sides = Self.names.map { Side($0) }
        connect()
    }

    private mutating func connect() {
        for (index, side) in sides.enumerated() {
            if let old = side.session { side.exchange.close(old, at: now) }
            side.wire = []
            sessions += 1
            let peer = Self.names[1 - index]
            side.session = side.exchange.open(
                peer: NodeID(of: peer), name: peer, session: Bytes16(low: sessions, high: 1), wall: Sample.now, at: now)
        }
        settle()
    }

    mutating func act(_ choices: inout Choices) {
        switch choices.byte() % 8 {
        case 0: originate(bytes: Int(choices.byte()) * 2048)
        case 1: originate(bytes: Int(choices.byte()))
        case 2: carry(from: 0, Int(choices.byte()) * 512)
        case 3: carry(from: 1, Int(choices.byte()) * 16)
        case 4: pass(.milliseconds(Int64(choices.byte()) * 10))
        case 5: connect()
        case 6: answer(sides[1], givingBack: choices.byte() & 1 == 0)
        default: sides[Int(choices.byte() & 1)].storeFails.toggle()
        }
        settle()
    }

    private mutating func originate(bytes: Int) {
        let owner = UInt64(made.count) + 1
        guard owner < 24 else { return }
        let body = [UInt8](repeating: UInt8(truncatingIfNeeded: owner), count: bytes)
        let envelope = Sample.envelope(sequence: owner, body: body)
        made[owner] = envelope
        sides[0].store[owner] = envelope
        let origin = Forwarder.Origin(
            destination: NodeID(of: Sample.here), lane: bytes > 4096 ? .bulk : .live, length: envelope.count,
            lifetime: 86_400, owner: owner, stored: owner)
        envelope.withUnsafeBytes { sides[0].exchange.forwarder.originate(origin, $0, at: now) }
    }

    private mutating func carry(from index: Int, _ count: Int) {
        let piece = Array(sides[index].wire.prefix(count))
        sides[index].wire.removeFirst(piece.count)
        guard let session = sides[1 - index].session else { return }
        piece.withUnsafeBytes { sides[1 - index].exchange.receive(session, $0, at: now) }
    }

    private mutating func pass(_ time: Duration) {
        now = now + time
        for side in sides where side.exchange.nextDeadline <= now { side.exchange.timeReached(now) }
    }

    private mutating func answer(_ side: Side, givingBack: Bool) {
        for id in side.arrivals {
            if givingBack {
                side.exchange.forwarder.giveBack(id, .destinationBusy, delay: .milliseconds(50), at: now)
                continue
            }
            let bytes = side.exchange.forwarder.bytes(of: id).map { Array($0) } ?? []
            require(made.values.contains(bytes), "what arrives is what was sent")
            delivered.insert(bytes)
            side.exchange.forwarder.finished(id, at: now)
        }
        side.arrivals = []
    }

    /// Carries out what the machines ask for until they ask no more.
    private mutating func settle() {
        for side in sides {
            var rounds = 0
            repeat {
                ended += side.exchange.takeEvents().count { $0.isEnd }
                side.exchange.resume(at: now)
                side.exchange.settle(at: now)
                for effect in side.exchange.takeEffects() { carryOut(effect, side) }
                flush(side)
                rounds += 1
                require(rounds < 1000, "a machine comes to rest")
            } while side.exchange.hasWork
        }
    }

    private func flush(_ side: Side) {
        guard let session = side.session, side.exchange.hasOutput(session) else { return }
        side.wire += side.exchange.takeOutput(session)
        side.exchange.drained(session, at: now)
    }

    private mutating func carryOut(_ effect: Effect, _ side: Side) {
        switch effect {
        case .store(let id):
            let bytes = side.exchange.forwarder.bytes(of: id).map { Array($0) }
            guard !side.storeFails, let bytes else { return side.exchange.forwarder.storeFailed(id, at: now) }
            side.store[side.nextStored] = bytes
            side.exchange.forwarder.stored(id, as: side.nextStored, at: now)
            side.nextStored += 1
        case .forget(let stored): side.store[stored] = nil
        case .fetch(let id, let stored):
            guard let bytes = side.store[stored] else {
                return require(false, "what is fetched was not forgotten")
            }
            bytes.withUnsafeBytes { side.exchange.forwarder.fetched(id, $0, at: now) }
        case .deliver(let id): side.arrivals.append(id)
        case .departed(let owner):
            require(made[owner] != nil, "only what was made departs")
            departed.insert(owner)
        case .expired, .damaged: require(false, "nothing is lost or damaged here: \(effect)")
        case .receipt, .refuse: break
        }
    }

    /// All works again: everything must arrive.
    mutating func heal() {
        for side in sides { side.storeFails = false }
        connect()
        let cuts = ended
        var rounds = 0
        while departed.count < made.count || delivered.count < made.count {
            rounds += 1
            require(
                rounds < 3000, "all arrives: \(departed.count) departed, \(delivered.count) of \(made.count) arrived")
            for index in [0, 1] { carry(from: index, .max) }
            answer(sides[1], givingBack: false)
            pass(.milliseconds(20))
            settle()
            require(ended == cuts, "no session ends where nobody cuts it")
        }
    }
}

extension Exchange.Event {
    fileprivate var isEnd: Bool { if case .ended = self { true } else { false } }
}
