import Envelope
import Mesh

extension Advertisement {
    /// One with every field in use.
    static func sample(
        origin: String = "dmz/relay-1", boot: UInt64 = 7, sequence: UInt64 = 300
    ) -> Advertisement {
        let statistics = Statistics(
            roundTrip: .microseconds(1_234), bytesQueued: 5_000_000_000, envelopesQueued: 17,
            oldestAge: .milliseconds(90_061_001))
        return Advertisement(
            origin: node(origin), stamp: .init(boot: boot, sequence: sequence),
            madeAt: WallTime(milliseconds: 1_763_719_200_123), softwareVersion: "relayd 0.1.0",
            listenPorts: [7443, 65535],
            holdings: .init(parkedEnvelopes: 1, parkedBytes: 128, storedEnvelopes: 16_384, storedBytes: .max),
            links: [
                .init(
                    peer: node("plant-a/relay-1"), cost: 10, dialledByOrigin: false, isUp: true, statistics: statistics),
                .init(peer: node("plant-b/relay-1"), cost: 65535, dialledByOrigin: true, isUp: false),
            ],
            attached: [
                .init(node: node("dmz/historian"), kind: .agent, dialledByOrigin: false, isUp: true),
                .init(
                    node: node("dmz/manager"), kind: .manager, dialledByOrigin: true, isUp: true, statistics: statistics
                ),
            ],
            services: [
                .init(name: .manager, provider: node("dmz/manager")),
                .init(name: .manager, provider: node("dmz/manager-2")),
            ])
    }
}
