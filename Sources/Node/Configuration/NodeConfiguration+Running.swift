import Envelope
import Mesh

extension Forwarder.Configuration {
    /// What a node's configuration means for its forwarder; only relays keep envelopes for others.
    public init(_ configuration: NodeConfiguration) {
        self.init(
            memoryBytes: configuration.memory, durability: Durability(configuration.durability),
            holdTime: configuration.holdTime,
            history: HistoryPacing(
                after: configuration.history.after, share: configuration.history.share,
                bytesPerSecond: configuration.history.rate.map(UInt64.init)),
            hasStore: configuration.role == .relay)
    }
}

extension Durability {
    public init(_ configured: NodeConfiguration.Durability) {
        switch configured {
        case .cutThrough: self = .cutThrough
        case .storeFirst: self = .storeFirst
        }
    }
}

extension Quota {
    public init(_ bounds: NodeConfiguration.QuotaConfiguration.Bounds) {
        self.init(bytes: bounds.maxBytes, envelopes: bounds.maxEnvelopes, age: bounds.maxAge)
    }
}

extension Forwarder {
    public mutating func setQuotas(_ quotas: NodeConfiguration.QuotaConfiguration) {
        setQuotas(lanes: [.live: Quota(quotas.live), .bulk: Quota(quotas.bulk)], source: Quota(quotas.source))
    }
}

extension NodeConfiguration {
    /// The keys in which `new` differs and which only a restart can change.
    public func keysNeedingRestart(_ new: NodeConfiguration) -> [String] {
        var keys: [String] = []
        if new.node != node { keys.append("node") }
        if new.identity != identity { keys.append("identity") }
        if new.listen != listen { keys.append("listen") }
        if new.store != store { keys.append("store") }
        if new.durability != durability { keys.append("durability") }
        if new.holdTime != holdTime { keys.append("holdTime") }
        if new.history != history { keys.append("history") }
        if new.memory != memory { keys.append("memory") }
        if new.reactors != reactors { keys.append("reactors") }
        if new.adminSocket != adminSocket { keys.append("admin") }
        if new.metrics != metrics { keys.append("metrics") }
        if new.log != log { keys.append("log") }
        return keys
    }
}
