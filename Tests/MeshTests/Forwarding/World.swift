import Envelope
import Link
import TestSupport
import Testing

@testable import Mesh

/// Several exchanges joined by byte pipes, with a clock of its own, and a ledger beside the code that knows where each
/// envelope's safe copies are.
final class World {
    var now = Instant(nanoseconds: 1_000_000_000)
    var random: SeededGenerator
    var nodes: [ToyNode] = []
    var wires: [Wire] = []
    var ledger = Ledger()
    /// Sequence numbers given to envelopes.
    private var made: UInt64 = 0
    private var sessionsOpened: UInt64 = 0
    /// Bytes a wire takes before the sender must wait.
    var wireBytes = 4 << 20

    init(seed: UInt64 = 1) { random = SeededGenerator(seed: seed) }

    func add(
        _ name: String, kind: NodeKind = .relay, _ change: (inout Forwarder.Configuration) -> Void = { _ in }
    ) -> ToyNode {
        var configuration = Forwarder.Configuration(wordPause: .zero, hasStore: kind == .relay)
        change(&configuration)
        let node = ToyNode(node(name), kind, configuration, world: self)
        nodes.append(node)
        return node
    }

    // MARK: Wires

    @discardableResult
    func connect(_ a: ToyNode, _ b: ToyNode) -> Wire {
        let wire = Wire(a, b)
        wires.append(wire)
        wire.ends[0].session = open(a, to: b)
        wire.ends[1].session = open(b, to: a)
        turn(a)
        turn(b)
        return wire
    }

    private func open(_ node: ToyNode, to peer: ToyNode) -> SessionID {
        sessionsOpened += 1
        return node.exchange.open(
            peer: peer.id, name: peer.name, session: Bytes16(low: sessionsOpened, high: random.next()),
            wall: WallTime(milliseconds: 0), at: now)
    }

    func wire(_ a: ToyNode, _ b: ToyNode) -> Wire? {
        wires.last {
            !$0.isCut
                && ($0.ends[0].node === a && $0.ends[1].node === b || $0.ends[1].node === a && $0.ends[0].node === b)
        }
    }

    /// What is on the way is lost and each of the `ends` notices.
    func cut(_ wire: Wire, ends: [Int] = [0, 1]) {
        wire.isCut = true
        for end in [0, 1] { wire.ends[end].inbox = [] }
        for end in ends { close(wire, end) }
    }

    func close(_ wire: Wire, _ end: Int) {
        guard let session = wire.ends[end].session else { return }
        wire.ends[end].session = nil
        wire.ends[end].node.exchange.close(session, at: now)
        turn(wire.ends[end].node)
    }

    /// Brings up to `limit` bytes to one end of a wire.
    func deliver(_ wire: Wire, _ end: Int, limit: Int = .max) {
        let count = min(limit, wire.ends[end].inbox.count)
        let node = wire.ends[end].node
        if count > 0 {
            let bytes = wire.take(count, from: end)
            if let session = wire.ends[end].session {
                bytes.withUnsafeBytes { node.exchange.receive(session, $0, at: now) }
            }
        }
        if wire.ends[end].inbox.isEmpty, wire.ends[1 - end].hasLeft { close(wire, end) }
        turn(node)
        turn(wire.ends[1 - end].node)
    }

    // MARK: Turns

    /// As the shell does it: effects until there are none, then output.
    func turn(_ node: ToyNode) {
        for _ in 0..<100 {
            repeat {
                for event in node.exchange.takeEvents() { handle(event, at: node) }
                node.exchange.resume(at: now)
                node.perform(node.exchange.takeEffects())
                node.exchange.settle(at: now)
            } while node.exchange.hasWork
            var hasMore = false
            for id in node.exchange.sessionsWithOutput where drain(node, id) { hasMore = true }
            if !hasMore { break }
        }
        node.checkCounters()
    }

    /// Moves a session's output to its wire; true where more may follow.
    private func drain(_ node: ToyNode, _ id: SessionID) -> Bool {
        guard let (wire, end) = place(of: id, at: node) else { return false }
        var moved = false
        node.exchange.write(id) { bytes in
            let free = wire.isCut ? bytes.count : max(0, wireBytes - wire.ends[1 - end].inbox.count)
            let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(free))
            if !wire.isCut { wire.ends[1 - end].inbox.append(contentsOf: part) }
            moved = part.count == bytes.count && part.count > 0
            return part.count
        }
        if moved { node.exchange.drained(id, at: now) }
        return moved && node.exchange.hasOutput(id)
    }

    private func place(of id: SessionID, at node: ToyNode) -> (Wire, Int)? {
        for wire in wires {
            for end in [0, 1] where wire.ends[end].node === node && wire.ends[end].session == id { return (wire, end) }
        }
        return nil
    }

    private func handle(_ event: Exchange.Event, at node: ToyNode) {
        switch event {
        case .established:
            node.established += 1
            node.whenEstablished(node)
        case .meshMessage: break
        case .ended(let id, _, let error, _):
            node.endings.append(error)
            guard let (wire, end) = place(of: id, at: node) else { return }
            if !wire.isCut { wire.ends[1 - end].inbox += node.exchange.takeOutput(id) }
            wire.ends[end].hasLeft = true
            wire.ends[end].session = nil
            node.exchange.close(id, at: now)
        }
    }

    // MARK: Time

    func advance(_ time: Duration) {
        now = now + time
        for node in nodes where node.exchange.nextDeadline <= now {
            node.exchange.timeReached(now)
            turn(node)
        }
    }

    /// Everything that can happen without time happens: bytes, store, sinks.
    ///
    /// - Parameter rounds: nil where it must come to rest.
    func flow(rounds: Int? = nil) {
        for _ in 0..<(rounds ?? 10_000) {
            var moved = false
            for wire in wires where !wire.isCut {
                for end in [0, 1]
                where !wire.ends[end].inbox.isEmpty || wire.ends[1 - end].hasLeft && wire.ends[end].session != nil {
                    deliver(wire, end)
                    moved = true
                }
            }
            for node in nodes where !node.isSlow {
                while node.completeStore() { moved = true }
                while node.finishDelivery() { moved = true }
            }
            wires.removeAll { $0.isCut && $0.ends[0].session == nil && $0.ends[1].session == nil }
            if !moved { return }
        }
        if rounds == nil { Issue.record("the world does not come to rest") }
    }

    /// Flows and lets time pass in steps.
    func run(_ time: Duration, step: Duration = .milliseconds(10)) {
        let end = now + time
        flow()
        while now < end {
            advance(step)
            flow()
        }
    }

    /// Nothing is anywhere but at its destination.
    var isDrained: Bool {
        nodes.allSatisfy { $0.isEmpty && $0.store.pending.isEmpty && $0.store.records.isEmpty }
    }

    // MARK: Envelopes

    /// A stream has one destination and one lane.
    static func stream(_ number: UInt64, to destination: NodeID, lane: Lane = .live) -> StreamID {
        StreamID(Bytes16(low: number, high: destination.value.low << 8 | UInt64(lane.rawValue)))
    }

    /// A new envelope; its number is its sequence.
    func envelope(
        from source: ToyNode, to destination: NodeID, lane: Lane = .live, body: Int = 32, lifetime: UInt32 = 1_000_000,
        stream: UInt64 = 7
    ) -> [UInt8] {
        made += 1
        let header = Header(
            kind: .data, lane: lane, source: source.id, destination: destination,
            stream: Self.stream(stream, to: destination, lane: lane), sequence: Sequence(made), floor: Sequence.none,
            created: WallTime(milliseconds: 0), lifetime: lifetime, key: KeyID(Bytes16(low: 1, high: 1)),
            bodyLength: UInt32(body))
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        bytes += [UInt8](repeating: UInt8(truncatingIfNeeded: made), count: body)
        return bytes
    }

    /// Sends a new envelope and returns its number.
    @discardableResult
    func send(
        _ source: ToyNode, _ destination: ToyNode, lane: Lane = .live, body: Int = 32, lifetime: UInt32 = 1_000_000,
        stream: UInt64 = 7
    ) -> UInt64 {
        let bytes = envelope(
            from: source, to: destination.id, lane: lane, body: body, lifetime: lifetime, stream: stream)
        let number = made
        ledger.atSource[number] = bytes
        let origin = Forwarder.Origin(
            destination: destination.id, identity: (try? Header(bytes))?.identity, lane: lane, length: bytes.count,
            lifetime: lifetime, owner: number, stored: number)
        bytes.withUnsafeBytes { source.exchange.forwarder.originate(origin, $0, at: now) }
        turn(source)
        return number
    }

    func node(_ text: String) -> NodeName {
        guard let name = try? NodeName(text) else { fatalError("not a name: \(text)") }
        return name
    }
}

/// A connection: each end has the bytes that are on their way to it.
final class Wire {
    struct End {
        var node: ToyNode
        var session: SessionID?
        var inbox: [UInt8] = []
        /// Has closed its side; what it wrote before still arrives.
        var hasLeft = false
    }

    var ends: [End]
    var isCut = false

    init(_ a: ToyNode, _ b: ToyNode) { ends = [End(node: a), End(node: b)] }

    func take(_ count: Int, from end: Int) -> [UInt8] {
        if count == ends[end].inbox.count {
            var taken: [UInt8] = []
            swap(&taken, &ends[end].inbox)
            return taken
        }
        let taken = [UInt8](ends[end].inbox[..<count])
        ends[end].inbox.removeSubrange(..<count)
        return taken
    }
}

/// What is known of every envelope from outside the code under test.
struct Ledger {
    /// Kept by the source until it has departed.
    var atSource: [UInt64: [UInt8]] = [:]
    private(set) var departed: Set<UInt64> = []
    private(set) var expired: Set<UInt64> = []
    private(set) var delivered: [UInt64: Int] = [:]
    /// In order of delivery.
    private(set) var deliveries: [UInt64] = []
    /// Departed, and neither delivered nor expired: someone must have a durable copy.
    private var inCustody: Set<UInt64> = []

    mutating func depart(_ number: UInt64) {
        departed.insert(number)
        if delivered[number] == nil, !expired.contains(number) { inCustody.insert(number) }
    }

    mutating func deliver(_ number: UInt64) {
        delivered[number, default: 0] += 1
        deliveries.append(number)
        inCustody.remove(number)
    }

    mutating func expire(_ number: UInt64) {
        expired.insert(number)
        inCustody.remove(number)
    }

    /// Rules 1 to 4: what its source no longer keeps is durable somewhere, delivered, or has lived out its life. Asked
    /// whenever a source lets go of an envelope and whenever a store forgets one.
    func check(_ number: UInt64, _ world: World) {
        guard inCustody.contains(number) else { return }
        if !world.nodes.contains(where: { $0.store.copies[number, default: 0] > 0 }) {
            Issue.record("envelope \(number) is lost: nobody has a safe copy")
        }
    }
}
