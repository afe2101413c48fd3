import Envelope

/// What one relay tells all others about itself: its links, the nodes attached to it, its services.
///
/// Of two advertisements of one origin the one with the greater ``stamp`` holds, whatever arrived first.
public struct Advertisement: Equatable, Sendable {
    /// Which of an origin's advertisements this is: a counter of process starts, then of advertisements.
    public struct Stamp: Hashable, Comparable, Sendable, CustomStringConvertible {
        /// Rises by one with each start of the relay's process.
        public var boot: UInt64
        /// Rises by one with each advertisement of that process; the first is 1.
        public var sequence: UInt64

        public init(boot: UInt64, sequence: UInt64) {
            self.boot = boot
            self.sequence = sequence
        }

        public static func < (left: Self, right: Self) -> Bool {
            left.boot == right.boot ? left.sequence < right.sequence : left.boot < right.boot
        }

        public var description: String { "\(boot).\(sequence)" }
    }

    /// What is measured on a link; never a reason to compute paths anew.
    public struct Statistics: Equatable, Sendable {
        /// Carried in microseconds, at most about 71 minutes.
        public var roundTrip: Duration
        public var bytesQueued: UInt64
        public var envelopesQueued: UInt64
        /// Age of the oldest envelope queued; carried in milliseconds.
        public var oldestAge: Duration

        public init(
            roundTrip: Duration = .zero, bytesQueued: UInt64 = 0, envelopesQueued: UInt64 = 0,
            oldestAge: Duration = .zero
        ) {
            self.roundTrip = roundTrip
            self.bytesQueued = bytesQueued
            self.envelopesQueued = envelopesQueued
            self.oldestAge = oldestAge
        }
    }

    /// A link to another relay, as the origin sees it.
    public struct Link: Equatable, Sendable {
        public var peer: NodeName
        /// Of sending from the origin to the peer; at least 1.
        public var cost: UInt16
        public var dialledByOrigin: Bool
        public var isUp: Bool
        public var statistics: Statistics

        public init(
            peer: NodeName, cost: UInt16, dialledByOrigin: Bool, isUp: Bool, statistics: Statistics = .init()
        ) {
            self.peer = peer
            self.cost = cost
            self.dialledByOrigin = dialledByOrigin
            self.isUp = isUp
            self.statistics = statistics
        }
    }

    /// A node that is no relay and reaches the mesh through the origin.
    public struct Attached: Equatable, Sendable {
        public var node: NodeName
        public var kind: NodeKind
        public var dialledByOrigin: Bool
        public var isUp: Bool
        public var statistics: Statistics

        public init(
            node: NodeName, kind: NodeKind, dialledByOrigin: Bool, isUp: Bool, statistics: Statistics = .init()
        ) {
            self.node = node
            self.kind = kind
            self.dialledByOrigin = dialledByOrigin
            self.isUp = isUp
            self.statistics = statistics
        }
    }

    /// An anycast name, offered by the origin itself or by a node attached to it.
    public struct Service: Hashable, Comparable, Sendable {
        public var name: ServiceName
        public var provider: NodeName

        public init(name: ServiceName, provider: NodeName) {
            self.name = name
            self.provider = provider
        }

        public static func < (left: Self, right: Self) -> Bool {
            left.name == right.name ? left.provider < right.provider : left.name < right.name
        }
    }

    /// What a relay holds: envelopes without a route, and envelopes in its journal.
    public struct Holdings: Equatable, Sendable {
        public var parkedEnvelopes: UInt64
        public var parkedBytes: UInt64
        public var storedEnvelopes: UInt64
        public var storedBytes: UInt64

        public init(
            parkedEnvelopes: UInt64 = 0, parkedBytes: UInt64 = 0, storedEnvelopes: UInt64 = 0, storedBytes: UInt64 = 0
        ) {
            self.parkedEnvelopes = parkedEnvelopes
            self.parkedBytes = parkedBytes
            self.storedEnvelopes = storedEnvelopes
            self.storedBytes = storedBytes
        }
    }

    public var origin: NodeName
    public var stamp: Stamp
    /// By the origin's wall clock; for people only.
    public var madeAt: WallTime
    /// Printable ASCII, at most ``Limits/softwareVersionBytes`` bytes.
    public var softwareVersion: String
    /// Ports the origin listens on, in the order it likes; at most ``Limits/advertisedPorts``.
    public var listenPorts: [UInt16]
    public var holdings: Holdings
    /// Rising by peer.
    public var links: [Link]
    /// Rising by node.
    public var attached: [Attached]
    /// Rising.
    public var services: [Service]

    public init(
        origin: NodeName, stamp: Stamp, madeAt: WallTime, softwareVersion: String = "", listenPorts: [UInt16] = [],
        holdings: Holdings = .init(), links: [Link] = [], attached: [Attached] = [], services: [Service] = []
    ) {
        self.origin = origin
        self.stamp = stamp
        self.madeAt = madeAt
        self.softwareVersion = softwareVersion
        self.listenPorts = listenPorts
        self.holdings = holdings
        self.links = links
        self.attached = attached
        self.services = services
    }
}
