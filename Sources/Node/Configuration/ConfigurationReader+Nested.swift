extension ConfigurationReader {
    /// Reads a mapping that must be there. The closure reads its keys; unknown ones are noted behind it.
    public func nested<Value>(_ key: String, _ read: (ConfigurationReader) -> Value) -> Value {
        if let value = nestedIfPresent(key, read) { return value }
        reportMissing(key)
        return read(ConfigurationReader(unread: YAMLNode(.mapping([]), mark: node.mark)))
    }

    /// Reads a mapping; nil where the file has none.
    public func nestedIfPresent<Value>(_ key: String, _ read: (ConfigurationReader) -> Value) -> Value? {
        look(key).map { self.read(mapping: $0, at: path(of: key), read) }
    }

    /// Reads a list of mappings; an absent key is an empty list.
    public func list<Value>(_ key: String, _ read: (ConfigurationReader) -> Value) -> [Value] {
        items(key).map { item, path in self.read(mapping: item, at: path, read) }
    }

    /// Reads a mapping whose keys are names that the person chooses, in the order of the file.
    public func dictionary<Value>(
        _ key: String, _ read: (_ name: YAMLEntry, ConfigurationReader) -> Value
    ) -> [Value] {
        guard let node = look(key) else { return [] }
        guard case .mapping(let entries) = node.content else {
            problems.append(node.mark, path(of: key), "here stands \(node.kind); write a mapping, one 'name: …' a line")
            return []
        }
        return entries.map { entry in
            self.read(mapping: entry.value, at: "\(path(of: key)).\(entry.key)") { read(entry, $0) }
        }
    }

    /// A value that somebody else decodes later, as it is. Variables in it that are not set are noted now.
    public func node(_ key: String) -> YAMLNode? {
        guard let node = look(key) else { return nil }
        if !toleratesUnset { reportUnset(node, at: path(of: key)) }
        return node
    }

    /// A value that is passed on as it is written, its variables unread.
    public func verbatim(_ key: String) -> YAMLNode? { look(key) }

    /// A mapping that somebody else decodes later, by a `kind` that is checked now.
    public func kindred(_ key: String, kinds: [String]) -> YAMLNode {
        guard let found = node(key) else {
            reportMissing(key)
            return YAMLNode(.mapping([]), mark: node.mark)
        }
        let reader = ConfigurationReader(found, path: path(of: key), problems: problems, toleratesUnset: toleratesUnset)
        guard case .mapping = found.content else { return found }
        let kind = reader.required("kind", .string)
        if !kind.isEmpty, !kinds.contains(kind) {
            let nearest = NearestWord.of(kind, in: kinds)
            let advice = nearest.map { "did you mean '\($0)'?" } ?? "write one of \(kinds.joined(separator: ", "))"
            let shown = found["kind"]?.scalar?.raw.prefix(60) ?? ""
            reader.report("'\(shown)' is not known here; \(advice)", at: "kind")
        }
        return found
    }

    private convenience init(unread node: YAMLNode) {
        self.init(node, path: "", problems: ConfigurationProblems())
    }

    private func read<Value>(mapping: YAMLNode, at path: String, _ read: (ConfigurationReader) -> Value) -> Value {
        let reader = ConfigurationReader(mapping, path: path, problems: problems, toleratesUnset: toleratesUnset)
        let isMapping = if case .mapping = mapping.content { true } else { false }
        // What is no mapping was noted once; that all its keys are missing need not be.
        guard isMapping else { return read(ConfigurationReader(unread: YAMLNode(.mapping([]), mark: mapping.mark))) }
        let value = read(reader)
        reader.rejectUnknownKeys()
        return value
    }

    private func reportUnset(_ node: YAMLNode, at path: String) {
        switch node.content {
        case .scalar(let scalar):
            if let problem = scalar.problem { problems.append(node.mark, path, problem) }
        case .sequence(let items):
            for (index, item) in items.enumerated() { reportUnset(item, at: "\(path)[\(index)]") }
        case .mapping(let entries):
            for entry in entries { reportUnset(entry.value, at: "\(path).\(entry.key)") }
        }
    }
}
