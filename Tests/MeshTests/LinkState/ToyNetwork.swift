import Envelope
import Mesh
import TestSupport

/// FNV-1a from a start value; stands for a hash wherever tests need one.
func toyHash(_ bytes: some Swift.Sequence<UInt8>, _ start: UInt64) -> UInt64 {
    var generator = SeededGenerator(seed: bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 })
    return generator.next()
}

@Sendable func toyID(_ name: String) -> NodeID {
    NodeID(Bytes16(low: toyHash(name.utf8, 1), high: toyHash(name.utf8, 2)))
}

func node(_ name: String) -> NodeName {
    guard let name = try? NodeName(name) else { preconditionFailure("a test names a node wrongly: \(name)") }
    return name
}

/// Signs with a hash that only the certificate's holder is taken to know; the certificate is the name itself.
struct ToyTrust: AdvertisementTrust {
    var name: NodeName

    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) {
        let certificate = Array(name.description.utf8)
        return (Self.signature(bytes, certificate), certificate)
    }

    func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool {
        certificate == Array(origin.description.utf8) && signature == Self.signature(bytes, certificate)
    }

    private static func signature(_ bytes: [UInt8], _ certificate: [UInt8]) -> [UInt8] {
        (0..<8).flatMap { index in
            let word = toyHash(certificate + bytes, UInt64(index))
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
        }
    }
}

/// Collects what a router does.
struct ToySink: RouterSink, Equatable {
    struct Sent: Equatable {
        var message: [UInt8]
        var peer: NodeName
    }

    var sent: [Sent] = []
    var changes = 0
    var alarms: [RouterAlarm] = []

    mutating func send(_ message: [UInt8], to peer: NodeName) { sent.append(Sent(message: message, peer: peer)) }
    mutating func routesChanged() { changes += 1 }
    mutating func alarm(_ alarm: RouterAlarm) { alarms.append(alarm) }
}

func toyRouter(_ name: String, boot: UInt64 = 1, at now: Instant = .zero) -> Router<ToyTrust> {
    Router(
        local: node(name), boot: boot, trust: ToyTrust(name: node(name)),
        wall: WallTime(milliseconds: 1_700_000_000_000), at: now, identify: toyID)
}

func seconds(_ count: Double) -> Instant { Instant(nanoseconds: Int64(count * 1e9)) }

/// Routers joined by links that delay, lose and reorder messages as a seed says.
struct ToyNetwork {
    struct Wire: Equatable {
        var first: Int
        var second: Int
        var cost: UInt16
        var isUp = false
    }

    private struct Message {
        var due: Instant
        var order: Int
        var from: Int
        var to: Int
        var bytes: [UInt8]
    }

    var routers: [Router<ToyTrust>]
    var wires: [Wire]
    private(set) var now = Instant.zero
    private(set) var alarms: [RouterAlarm] = []
    private(set) var messageCount = 0
    private var flying: [Message] = []
    private var random: SeededGenerator
    /// Of a hundred messages.
    var lossPercent = 0
    var delayMost = Duration.milliseconds(20)

    init(relays: [String], wires: [(Int, Int, UInt16)], seed: UInt64 = 1) {
        routers = relays.map { toyRouter($0) }
        self.wires = wires.map { Wire(first: $0.0, second: $0.1, cost: $0.2) }
        random = SeededGenerator(seed: seed)
    }

    /// A connected graph: a random tree and some more edges.
    init(relayCount: Int, extraWires: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pairs: [(Int, Int, UInt16)] = []
        for index in 1..<relayCount {
            pairs.append((Int.random(in: 0..<index, using: &random), index, UInt16.random(in: 1...9, using: &random)))
        }
        for _ in 0..<extraWires {
            let first = Int.random(in: 0..<relayCount, using: &random)
            let second = Int.random(in: 0..<relayCount, using: &random)
            let pair = (min(first, second), max(first, second))
            guard first != second, !pairs.contains(where: { ($0.0, $0.1) == pair }) else { continue }
            pairs.append((pair.0, pair.1, UInt16.random(in: 1...9, using: &random)))
        }
        self.init(relays: (0..<relayCount).map { "zone-\($0)/relay" }, wires: pairs, seed: seed)
    }

    var names: [NodeName] { routers.map(\.local) }

    mutating func raiseAll() { for index in wires.indices { raise(index) } }

    mutating func raise(_ wire: Int) {
        guard !wires[wire].isUp else { return }
        wires[wire].isUp = true
        let (first, second, cost) = (wires[wire].first, wires[wire].second, wires[wire].cost)
        let names = names
        act(first) { $0.linkUp(peer: names[second], kind: .relay, cost: cost, dialledByUs: true, at: $1, into: &$2) }
        act(second) { $0.linkUp(peer: names[first], kind: .relay, cost: cost, dialledByUs: false, at: $1, into: &$2) }
    }

    mutating func cut(_ wire: Int) {
        guard wires[wire].isUp else { return }
        wires[wire].isUp = false
        let (first, second) = (wires[wire].first, wires[wire].second)
        let names = names
        flying.removeAll { ($0.from, $0.to) == (first, second) || ($0.from, $0.to) == (second, first) }
        act(first) { $0.linkDown(peer: names[second], at: $1, into: &$2) }
        act(second) { $0.linkDown(peer: names[first], at: $1, into: &$2) }
    }

    /// The relay's process starts anew and knows nothing but its boot number.
    mutating func restart(_ index: Int, boot: UInt64) {
        let own = wires.indices.filter { (wires[$0].first == index || wires[$0].second == index) && wires[$0].isUp }
        for wire in own { cut(wire) }
        routers[index] = toyRouter(names[index].description, boot: boot, at: now)
        for wire in own { raise(wire) }
    }

    mutating func act(
        _ index: Int, _ verb: (inout Router<ToyTrust>, Instant, inout ToySink) -> Void
    ) {
        var sink = ToySink()
        verb(&routers[index], now, &sink)
        alarms += sink.alarms
        for sent in sink.sent { launch(sent, from: index) }
    }

    private mutating func launch(_ sent: ToySink.Sent, from index: Int) {
        messageCount += 1
        guard let target = names.firstIndex(of: sent.peer), isWired(index, target) else { return }
        guard Int.random(in: 0..<100, using: &random) >= lossPercent else { return }
        let delay = Int64.random(in: 1_000...max(1_000, delayMost.wholeNanoseconds), using: &random)
        flying.append(
            Message(due: now + .nanoseconds(delay), order: messageCount, from: index, to: target, bytes: sent.message))
    }

    private func isWired(_ from: Int, _ to: Int) -> Bool {
        wires.contains { $0.isUp && (($0.first, $0.second) == (from, to) || ($0.first, $0.second) == (to, from)) }
    }

    /// Lets time pass; every due message and deadline happens in its order.
    mutating func run(for duration: Duration) throws {
        let end = now + duration
        while true {
            let message = flying.indices.min { (flying[$0].due, flying[$0].order) < (flying[$1].due, flying[$1].order) }
            let timer = routers.indices.min { routers[$0].nextDeadline < routers[$1].nextDeadline } ?? 0
            let timerDue = max(routers[timer].nextDeadline, now)
            if let message, flying[message].due <= min(timerDue, end) {
                let taken = flying.remove(at: message)
                now = max(now, taken.due)
                var failure: LinkStateError?
                let from = names[taken.from]
                act(taken.to) { router, now, sink in
                    do throws(LinkStateError) {
                        try router.receive(taken.bytes, from: from, at: now, into: &sink)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
            } else if timerDue <= end {
                now = timerDue
                act(timer) { $0.timeReached($1, into: &$2) }
            } else {
                now = end
                return
            }
        }
    }
}
