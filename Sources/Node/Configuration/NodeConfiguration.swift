import Envelope

/// All that one node is told by its own file. It runs from this alone.
public struct NodeConfiguration: Hashable, Sendable {
    public enum Role: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        case relay, agent

        public var description: String {
            switch self {
            case .relay: "relay"
            case .agent: "agent"
            }
        }
    }

    /// When a relay takes custody of an envelope.
    public enum Durability: Hashable, Sendable, CaseIterable, CustomStringConvertible {
        /// Once the next hop has it, or the journal if that takes longer than the hold time.
        case cutThrough
        /// Once it is in the journal, always.
        case storeFirst

        public var description: String {
            switch self {
            case .cutThrough: "cutThrough"
            case .storeFirst: "storeFirst"
            }
        }
    }

    public var node: NodeName
    public var role: Role
    public var identity: IdentityFiles
    public var listen: [Address]
    public var links: [LinkConfiguration]
    /// Which agents may attach to this relay.
    public var attach: [NodePattern]
    public var flows: [FlowConfiguration]
    public var store: StoreConfiguration
    public var durability: Durability
    /// What a relay may hold of each lane, and of each source.
    public var quotas: QuotaConfiguration
    /// How what has waited long is sent beside what is fresh.
    public var history: HistoryConfiguration
    /// How long an envelope may stay in memory only before it goes to the journal: the measured time is kept between
    /// these two.
    public var holdTime: ClosedRange<Duration>
    /// Bytes of envelopes held in memory.
    public var memory: Int
    /// How many threads carry links.
    public var reactors: Reactors
    /// Path of the Unix socket for `relayctl`; at most ``NodeConfiguration/socketPathBytes``.
    public var adminSocket: String
    /// Where metrics and health are served on TCP, in the clear: a numeric loopback address. nil for nowhere.
    public var metrics: Address?
    public var log: LogConfiguration
    /// How long an envelope made here lives, unless its job says otherwise.
    public var lifetime: Duration
    /// How long a source waits for a receipt before it sends an envelope again.
    public var resendAfter: Duration
    /// What only an agent has; nil in a relay.
    public var agent: AgentConfiguration?

    /// Bytes of a Unix socket's path on Linux, without the NUL at its end.
    public static let socketPathBytes = 107
    /// The longest lifetime: the header counts seconds in 32 bits, and ten years are beyond any outage.
    public static let longestLifetime = Duration.seconds(3_650 * 86_400)
}

extension NodeConfiguration {
    /// Where a node listens or dials to. The host is a name or an address, not yet resolved.
    public struct Address: Hashable, Sendable, CustomStringConvertible {
        public var host: String
        public var port: UInt16

        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }

        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

        /// A numeric address of this machine alone: 127.0.0.0/8 or ::1.
        var isNumericLoopback: Bool {
            if host == "::1" { return true }
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            return parts.count == 4 && parts[0] == "127"
                && parts.allSatisfy { part in
                    part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil
                }
        }
    }

    /// How many reactors read, decrypt, encrypt and write for the links.
    public enum Reactors: Hashable, Sendable {
        /// By the processor's cores.
        case automatic
        /// 1: the one that routes does it too. More: so many beside it, with the links shared out among them.
        case fixed(Int)

        /// Bounds of a fixed number.
        public static let range = 1...64
        /// TLS and TCP are some four fifths of a relay's work, so beside four reactors the one that routes is as busy as
        /// they are, if they share evenly. Links are pinned and never even, so twice as many may be of use; more is not.
        private static let most = 8
        /// With fewer cores one reactor is best: the others would take from the journal, from jobs and from other
        /// processes what they give.
        private static let leastCores = 4

        /// - Parameter cores: those that the process may use.
        public func count(cores: Int) -> Int {
            switch self {
            case .automatic: cores < Self.leastCores ? 1 : min(Self.most, cores / 2)
            case .fixed(let count): count
            }
        }
    }

    /// The PEM files that prove who a node is.
    public struct IdentityFiles: Hashable, Sendable {
        public var certificate: String
        public var key: String
        /// The certificate of the mesh's authority.
        public var authority: String
    }

    public struct StoreConfiguration: Hashable, Sendable {
        public var directory: String
        public var maxBytes: Int
        public var segmentBytes: Int
    }

    public struct QuotaConfiguration: Hashable, Sendable {
        public var live = Bounds()
        public var bulk = Bounds()
        /// Of every source alike.
        public var source = Bounds()

        /// nil: no bound.
        public struct Bounds: Hashable, Sendable {
            public var maxBytes: Int?
            public var maxEnvelopes: Int?
            public var maxAge: Duration?
        }
    }

    public struct HistoryConfiguration: Hashable, Sendable {
        /// Live data older than this is history.
        public var after: Duration = .seconds(60)
        /// Percent of a link's bytes.
        public var share = 10
        /// Bytes a second over one link; nil: no limit.
        public var rate: Int?
    }

    public struct LogConfiguration: Hashable, Sendable {
        public enum Level: Int, Hashable, Sendable, CaseIterable, CustomStringConvertible {
            case debug, info, warning, error

            public var description: String {
                switch self {
                case .debug: "debug"
                case .info: "info"
                case .warning: "warning"
                case .error: "error"
                }
            }
        }

        public enum Format: Hashable, Sendable, CaseIterable, CustomStringConvertible {
            case text, json

            public var description: String {
                switch self {
                case .text: "text"
                case .json: "json"
                }
            }
        }

        public var level: Level
        public var format: Format
    }
}

/// One link of a node, by the name of the peer.
public struct LinkConfiguration: Hashable, Sendable {
    public var peer: NodeName
    /// Where to dial; nil where we wait for the peer to dial us.
    public var dial: NodeConfiguration.Address?
    /// What the peer is. One that is an agent takes no part in routing, whatever it says of itself.
    public var role: NodeConfiguration.Role
    /// 1 to 65,535; routes take the smallest sum.
    public var cost: Int
    /// The HTTP proxy to dial through, by CONNECT.
    public var proxy: ProxyConfiguration?
}

/// An HTTP proxy on the way out of a zone.
public struct ProxyConfiguration: Hashable, Sendable, CustomStringConvertible {
    public var address: NodeConfiguration.Address
    public var user: String?
    public var password: String?

    /// Without the password.
    public var description: String { "proxy \(address)" }
}

/// A permission and a way for data: what no flow allows is not forwarded.
public struct FlowConfiguration: Hashable, Sendable {
    public var name: String
    public var from: [NodePattern]
    public var to: [NodePattern]
    public var lane: Lane
    /// Bytes a second; nil: no limit.
    public var limit: Int?
    /// What one relay may hold of it.
    public var quota: NodeConfiguration.QuotaConfiguration.Bounds
    /// nil: as the relay's own.
    public var durability: NodeConfiguration.Durability?

    public func allows(from source: NodeName, to destination: NodeName) -> Bool {
        from.contains { $0.matches(source) } && to.contains { $0.matches(destination) }
    }
}
