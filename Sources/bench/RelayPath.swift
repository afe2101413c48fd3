import Envelope
import Link
import Mesh

/// A relay between two neighbours, without sockets and TLS: bytes in on one session, out on the other, custody back.
enum RelayPath {
    static func run(_ selection: Selection) {
        for (size, count) in [(128, 20_000), (1024, 20_000), (65_536, 400)] {
            let name = "relay: \(size) B body, in, out and custody back (three nodes' work)"
            guard selection.wants(name) else { continue }
            var path = Path(bodyBytes: size)
            selection.measure(name, count: count) { path.pass($0) }
        }
    }

    /// Source, relay and destination as three exchanges joined by their outputs.
    private struct Path: ~Copyable {
        private var source: Exchange
        private var relay: Exchange
        private var destination: Exchange
        private let envelope: [UInt8]
        private let header: Header
        private var fromSource: SessionID
        private var relayToSource: SessionID
        private var relayToDestination: SessionID
        private var fromRelay: SessionID
        private let now = Instant(nanoseconds: 1_000_000_000)

        init(bodyBytes: Int) {
            header = Sample.header(bodyLength: bodyBytes)
            envelope = header.encoded + [UInt8](repeating: 1, count: bodyBytes)
            let middle = NodeID(Bytes16(low: 9, high: 9))
            source = Self.exchange("a/source", .agent, Sample.source, routes: [middle])
            relay = Self.exchange("a/relay", .relay, middle, routes: [Sample.destination])
            destination = Self.exchange("b/sink", .agent, Sample.destination, routes: [middle])
            fromSource = Self.open(&source, middle, "a/relay", now)
            relayToSource = Self.open(&relay, Sample.source, "a/source", now)
            relayToDestination = Self.open(&relay, Sample.destination, "b/sink", now)
            fromRelay = Self.open(&destination, middle, "a/relay", now)
            exchangeBytes()
        }

        private static func exchange(_ name: String, _ kind: NodeKind, _ id: NodeID, routes: [NodeID]) -> Exchange {
            guard let node = try? NodeName(name) else { preconditionFailure("a name of the bench is a name") }
            // Only a node that keeps envelopes for others passes them on; with the clock at rest nothing is stored.
            var forwarder = Forwarder(
                Forwarder.Configuration(wordPause: .zero, hasStore: kind == .relay), locals: [id], policy: .open)
            forwarder.setRoutes(RouteTable(always: routes))
            return Exchange(node: node, kind: kind, software: "bench", forwarder: forwarder)
        }

        private static func open(_ exchange: inout Exchange, _ peer: NodeID, _ name: String, _ now: Instant)
            -> SessionID
        {
            guard let node = try? NodeName(name) else { preconditionFailure("a name of the bench is a name") }
            return exchange.open(
                peer: peer, name: node, session: Bytes16(low: peer.value.low, high: 7), wall: WallTime(milliseconds: 0),
                at: now)
        }

        /// Sends `count` envelopes and goes on until custody of all has come back.
        mutating func pass(_ count: Int) {
            var sent = 0
            var delivered = 0
            while delivered < count {
                let batch = min(256, count - sent)
                envelope.withUnsafeBytes { bytes in
                    for _ in 0..<batch {
                        source.forwarder.originate(
                            Forwarder.Origin(
                                destination: header.destination, lane: .live, length: bytes.count, lifetime: 3600,
                                owner: 1, stored: 0),
                            bytes, at: now)
                    }
                }
                sent += batch
                delivered += exchangeBytes()
            }
        }

        /// Carries bytes until nobody has anything to say.
        @discardableResult
        private mutating func exchangeBytes() -> Int {
            var delivered = 0
            var isMoving = true
            while isMoving {
                source.settle(at: now)
                relay.settle(at: now)
                for effect in destination.takeEffects() {
                    guard case .deliver(let id) = effect else { continue }
                    destination.forwarder.finished(id, at: now)
                    delivered += 1
                }
                destination.settle(at: now)
                use(source.takeEffects())
                use(relay.takeEffects())
                use((source.takeEvents(), relay.takeEvents(), destination.takeEvents()))
                isMoving = Self.carry(&source, fromSource, &relay, relayToSource, now)
                isMoving = Self.carry(&relay, relayToSource, &source, fromSource, now) || isMoving
                isMoving = Self.carry(&relay, relayToDestination, &destination, fromRelay, now) || isMoving
                isMoving = Self.carry(&destination, fromRelay, &relay, relayToDestination, now) || isMoving
            }
            return delivered
        }

        private static func carry(
            _ from: inout Exchange, _ session: SessionID, _ to: inout Exchange, _ peer: SessionID, _ now: Instant
        ) -> Bool {
            guard from.hasOutput(session) else { return false }
            from.write(session) { bytes in
                to.receive(peer, bytes, at: now)
                return bytes.count
            }
            from.drained(session, at: now)
            return true
        }
    }
}
