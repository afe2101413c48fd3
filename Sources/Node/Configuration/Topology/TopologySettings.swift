/// The keys that a topology passes on to its nodes' own files.
enum TopologySettings {
    private static let keys = [
        "store", "durability", "quotas", "history", "holdTime", "memory", "reactors", "admin", "metrics", "log",
        "lifetime", "resendAfter",
    ]

    /// Checks the keys and returns them as they are written.
    static func read(_ reader: ConfigurationReader) -> [YAMLEntry] {
        reader.passingOn {
            _ = reader.nestedIfPresent("store") {
                NodeConfiguration.StoreConfiguration($0, defaultDirectory: TopologyLayout.storeName)
            }
            _ = reader.optional("durability", .word(NodeConfiguration.Durability.self))
            _ = reader.nestedIfPresent("quotas", NodeConfiguration.QuotaConfiguration.init)
            _ = reader.nestedIfPresent("history", NodeConfiguration.HistoryConfiguration.init)
            _ = NodeConfiguration.holdTime(reader)
            _ = reader.optional("memory", .memory)
            _ = reader.optional("reactors", .reactors)
            _ = reader.nestedIfPresent("admin") { $0.optional("socket", .path) }
            _ = NodeConfiguration.metrics(reader)
            _ = reader.nestedIfPresent("log", NodeConfiguration.LogConfiguration.init)
            _ = reader.optional("lifetime", .lifetime)
            _ = reader.optional("resendAfter", .resendAfter)
        }
        return keys.compactMap { key in
            reader.verbatim(key).map { YAMLEntry(key: key, keyMark: $0.mark, value: $0) }
        }
    }

    /// A node's own key goes before the default; mappings such as `store` key by key.
    static func merge(_ defaults: [YAMLEntry], _ own: [YAMLEntry]) -> [YAMLEntry] {
        var merged = own
        for entry in defaults {
            guard let index = merged.firstIndex(where: { $0.key == entry.key }) else {
                merged.append(entry)
                continue
            }
            guard case .mapping(let theirs) = entry.value.content, case .mapping(let ours) = merged[index].value.content
            else { continue }
            let missing = theirs.filter { their in !ours.contains { $0.key == their.key } }
            merged[index].value.content = .mapping(ours + missing)
        }
        return merged
    }
}
