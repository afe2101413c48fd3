import Envelope

/// The mesh as one relay knows it, for people and reports. All lists rise by name.
public struct Topology: Equatable, Sendable {
    /// A relay that is known, be it by its own words or because another lists a link to it.
    public struct Relay: Equatable, Sendable {
        public var name: NodeName
        public var id: NodeID
        public var isLocal: Bool
        /// True where envelopes can get there now.
        public var isReachable: Bool
        /// Cost of the way there; nil where there is none.
        public var distance: UInt32?
        /// What it last told of itself; nil where nothing arrived.
        public var report: Report?
    }

    /// What a relay told of itself besides its links.
    public struct Report: Equatable, Sendable {
        public var stamp: Advertisement.Stamp
        /// By that relay's wall clock.
        public var asOf: WallTime
        /// How long ago it was made, by local clocks; carries on over hops.
        public var age: Duration
        public var softwareVersion: String
        public var listenPorts: [UInt16]
        public var holdings: Advertisement.Holdings
    }

    /// One end's view of a link.
    public struct End: Equatable, Sendable {
        public var isUp: Bool
        /// Of sending from this end to the other.
        public var cost: UInt16
        /// True where this end opens the connection.
        public var dials: Bool
        /// Round trip as seen here; what waits here to be sent to the other end.
        public var statistics: Advertisement.Statistics
        /// When this end said so, by its wall clock.
        public var asOf: WallTime
    }

    /// A link between two relays, `first` before `second` by name.
    public struct Link: Equatable, Sendable {
        public var first: NodeName
        public var second: NodeName
        /// nil where `first` does not list the link, or is not heard of.
        public var firstEnd: End?
        public var secondEnd: End?
        /// True where both ends list it as up and neither is silent: only then envelopes are routed over it.
        public var isUsable: Bool

        /// Who opens the connection; nil where no end says.
        public var diallers: [NodeName] {
            (firstEnd?.dials == true ? [first] : []) + (secondEnd?.dials == true ? [second] : [])
        }
    }

    /// A node that is no relay, at one of the relays it is attached to.
    public struct Attachment: Equatable, Sendable {
        public var node: NodeName
        public var id: NodeID
        public var kind: NodeKind
        public var relay: NodeName
        /// False also where the relay is silent.
        public var isUp: Bool
        public var dialledByRelay: Bool
        /// As the relay sees it: what waits there to be sent to the node.
        public var statistics: Advertisement.Statistics
        public var asOf: WallTime
    }

    /// An anycast name and a node that offers it.
    public struct Service: Equatable, Sendable {
        public var name: ServiceName
        public var provider: NodeName
        public var relay: NodeName
    }

    /// The relay that gives this account.
    public var viewpoint: NodeName
    /// When it gave it, by its wall clock.
    public var asOf: WallTime
    public var relays: [Relay]
    public var links: [Link]
    public var attachments: [Attachment]
    public var services: [Service]
}
