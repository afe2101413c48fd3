import Crypto
import Envelope
import Mesh

/// The look into the table of ways that every new pair of addresses takes.
enum RouteParts {
    private static let agents = 500

    static func run(_ selection: Selection) {
        let name = "route: look-up among \(agents) agents"
        guard selection.wants(name), let relay = try? NodeName("a/relay") else { return }
        let identify: Router<NoTrust>.Identify = { NodeID(ofText: $0) }
        var router = Router(
            local: relay, boot: 1, trust: NoTrust(), wall: WallTime(milliseconds: 0), at: .zero, identify: identify)
        var sink = Deaf()
        var destinations: [NodeID] = []
        for number in 0..<agents {
            guard let agent = try? NodeName("a/agent-\(number)") else { return }
            router.linkUp(peer: agent, kind: .agent, cost: 10, dialledByUs: false, at: .zero, into: &sink)
            destinations.append(NodeID(of: agent))
        }
        router.timeReached(Instant(nanoseconds: 10_000_000_000), into: &sink)
        guard router.route(to: destinations[agents - 1]) == .nextHops([destinations[agents - 1]]) else {
            return print("| \(name): the last agent is not in the table | - |")
        }
        // What does not change any more is looked at in place; a variable would be copied for each look.
        let still = router
        selection.measure(name, count: 100_000) { count in
            for number in 0..<count { use(still.route(to: destinations[number % agents])) }
        }
    }

    private struct NoTrust: AdvertisementTrust {
        func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) {
            ([UInt8](repeating: 0, count: Limits.advertisementSignatureBytes), [0])
        }
        func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool { false }
    }

    private struct Deaf: RouterSink {
        mutating func send(_ message: [UInt8], to peer: NodeName) {}
        mutating func routesChanged() {}
        mutating func alarm(_ alarm: RouterAlarm) {}
    }
}
