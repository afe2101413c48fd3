import Envelope
import Mesh
import TestSupport
import Testing

@testable import Journal
@testable import RelayCore

/// A node beside a relay, with a session of its own. What it makes it keeps until the relay has taken it over.
final class RelayNeighbour {
    let name: NodeName
    var exchange: Exchange
    /// Messages about the mesh that came here.
    private(set) var heard: [[UInt8]] = []
    /// Headers of what arrived here.
    private(set) var arrived: [Header] = []
    private let scene: RelayScene
    private let kind: NodeKind
    private var wire: Wire?
    /// What the relay's journal does by itself.
    var answer: ([JournalBatch.Operation]) -> [JournalCompletion] = { operations in
        operations.enumerated().compactMap { place, operation in
            guard case .append(_, let token, _, _, _, _) = operation else { return nil }
            return JournalCompletion(token: token, lsn: LSN(UInt64(100 + place)), outcome: .durable)
        }
    }

    init(_ name: String, _ kind: NodeKind, of scene: RelayScene) throws {
        self.name = try NodeName(name)
        self.scene = scene
        self.kind = kind
        var forwarder = Forwarder(
            Forwarder.Configuration(memoryBytes: 1 << 20, wordPause: .zero, hasStore: false),
            locals: [RelayScene.id(name)],
            policy: .open)
        forwarder.setRoutes(RouteTable(always: [RelayScene.id(scene.name.description)]))
        exchange = Exchange(node: self.name, kind: kind, software: "test", forwarder: forwarder)
    }

    func connect() {
        wire = Wire(7, &exchange, name, &scene.exchange, scene.name, at: scene.now) {
            RelayScene.id($0.description)
        }
        turn()
    }

    func disconnect() {
        guard let wire else { return }
        self.wire = nil
        exchange.close(wire.near, at: scene.now)
        scene.exchange.close(wire.far, at: scene.now)
        turn()
    }

    /// Everything that can happen without time happens, as the daemon does it.
    func turn() {
        for _ in 0..<1000 {
            for case .deliver(let id) in exchange.takeEffects() {
                if let bytes = exchange.forwarder.bytes(of: id), let header = try? Header(bytes) {
                    arrived.append(header)
                }
                exchange.forwarder.finished(id, at: scene.now)
            }
            for case .meshMessage(_, let message) in exchange.takeEvents() { heard.append(message) }
            exchange.resume(at: scene.now)
            exchange.settle(at: scene.now)
            for event in scene.exchange.takeEvents() { handle(event) }
            scene.exchange.resume(at: scene.now)
            scene.perform(scene.exchange.takeEffects())
            let completions = answer(scene.batch.operations)
            if !completions.isEmpty {
                scene.batch.removeAll()
                scene.complete(completions)
            }
            scene.exchange.settle(at: scene.now)
            let moved = wire?.carry(&exchange, &scene.exchange, at: scene.now) ?? false
            if !moved, !exchange.hasWork, !scene.exchange.hasWork, completions.isEmpty { return }
        }
        Issue.record("the neighbour does not come to rest")
    }

    private func handle(_ event: Exchange.Event) {
        switch event {
        case .established(_, let link, _):
            scene.machine.linkUp(link, name, kind, cost: 10, dialledByUs: false, &scene.exchange, at: scene.now)
        case .ended: scene.machine.linkDown(name, &scene.exchange, at: scene.now)
        case .meshMessage(_, let message):
            scene.machine.receive(message, from: name, &scene.exchange, at: scene.now)
        }
    }

    /// Makes an envelope, or bytes that are none, and offers it to the relay.
    func send(_ envelope: [UInt8]) {
        envelope.withUnsafeBytes { bytes in
            exchange.forwarder.originate(
                Forwarder.Origin(
                    destination: RelayScene.id("plant-b/agent-1"), lane: .live, length: bytes.count, lifetime: 3600,
                    owner: 1, stored: 0), bytes, at: scene.now)
        }
        turn()
    }

    // A copy, since an expectation cannot look into what is not copyable.
    var handedOver: UInt64 { exchange.forwarder.counters.handedOver }
}
