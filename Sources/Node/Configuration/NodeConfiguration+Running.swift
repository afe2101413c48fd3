import Mesh

extension Forwarder.Configuration {
    /// What a node's configuration means for its forwarder; only relays keep envelopes for others.
    public init(_ configuration: NodeConfiguration) {
        let durability: Durability =
            switch configuration.durability {
            case .cutThrough: .cutThrough
            case .storeFirst: .storeFirst
            }
        self.init(
            memoryBytes: configuration.memory, durability: durability, holdTime: configuration.holdTime,
            hasStore: configuration.role == .relay)
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
        if new.memory != memory { keys.append("memory") }
        if new.adminSocket != adminSocket { keys.append("admin") }
        if new.metrics != metrics { keys.append("metrics") }
        if new.log != log { keys.append("log") }
        return keys
    }
}
