import Envelope

/// Reads the keys of one mapping and gathers everything that is wrong with it.
///
/// Getters never throw: for a bad or missing value they note a problem and return a stand-in, so that one run shows all
/// problems. The rule that makes this safe: use nothing that was read before ``finish()`` has returned.
///
///     let reader = ConfigurationReader(job.source, path: job.sourcePath)
///     let path = reader.required("path", .path)
///     let pattern = reader.value("pattern", .string, default: "*")
///     let limit = reader.optional("limit", .byteSize())
///     try reader.finish()
public final class ConfigurationReader {
    /// The mapping being read.
    public let node: YAMLNode
    /// The key path of the mapping, such as `links[2]`; empty for the whole file.
    public let path: String
    let problems: ConfigurationProblems
    private let entries: [String: YAMLEntry]
    private let written: [YAMLEntry]
    /// In the order they were asked for.
    private var known: [String] = []
    private var areKeysChecked = true
    /// True while what is read is only passed on: a variable may then be unset here.
    private(set) var toleratesUnset: Bool

    /// Begins to read a mapping that is not part of one being read already.
    public convenience init(_ node: YAMLNode, path: String = "") {
        self.init(node, path: path, problems: ConfigurationProblems())
    }

    init(
        _ node: YAMLNode, path: String, problems: ConfigurationProblems, toleratesUnset: Bool = false
    ) {
        self.toleratesUnset = toleratesUnset
        self.node = node
        self.path = path
        self.problems = problems
        if case .mapping(let entries) = node.content {
            written = entries
        } else {
            written = []
            let found = node.scalar?.isNull == true ? "nothing" : node.kind
            problems.append(node.mark, path, "here stands \(found); write a mapping, one 'key: value' a line")
            areKeysChecked = false
        }
        entries = Dictionary(written.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Single values

    /// The value of a key that must be there.
    public func required<Value>(_ key: String, _ format: ConfigurationFormat<Value>) -> Value {
        guard let node = look(key) else {
            reportMissing(key)
            return format.provisional
        }
        return read(node, at: path(of: key), format) ?? format.provisional
    }

    /// The value of a key; nil where the file has none.
    public func optional<Value>(_ key: String, _ format: ConfigurationFormat<Value>) -> Value? {
        guard let node = look(key) else { return nil }
        return read(node, at: path(of: key), format)
    }

    /// The value of a key, or a default where the file has none.
    public func value<Value>(_ key: String, _ format: ConfigurationFormat<Value>, default fallback: Value) -> Value {
        optional(key, format) ?? fallback
    }

    /// A list of single values; an absent key is an empty list.
    public func list<Value>(_ key: String, of format: ConfigurationFormat<Value>) -> [Value] {
        items(key).compactMap { item, path in read(item, at: path, format) }
    }

    // MARK: Problems

    /// Notes a problem at a key's value, or at the mapping where the key is not in the file or not given.
    ///
    /// For what no single value tells, such as two links to one peer. The text must not hold a secret.
    public func report(_ text: String, at key: String? = nil) {
        guard let key else { return problems.append(node.mark, path, text) }
        problems.append(entries[key]?.value.mark ?? node.mark, path(of: key), text)
    }

    /// True while nothing wrong was found in the whole file: the time to check what depends on several values.
    public var isFaultless: Bool { problems.isEmpty }

    /// Ends the reading: what was not asked for is an unknown key.
    /// - Throws: ``ConfigurationError`` with all problems of this mapping and of all below it.
    public func finish() throws(ConfigurationError) {
        rejectUnknownKeys()
        if let error = problems.error { throw error }
    }

    /// Notes each key that nobody asked for, with the nearest one that somebody did.
    func rejectUnknownKeys() {
        guard areKeysChecked else { return }
        areKeysChecked = false
        for entry in written where !known.contains(entry.key) {
            let valid = known.filter { entries[$0] == nil }
            let text =
                if let nearest = NearestWord.of(entry.key, in: valid) ?? NearestWord.of(entry.key, in: known) {
                    "unknown key; did you mean '\(nearest)'?"
                } else if known.isEmpty {
                    "unknown key; nothing may stand here"
                } else {
                    "unknown key; known here: \(known.joined(separator: ", "))"
                }
            problems.append(entry.keyMark, path(of: String(entry.key.prefix(80))), text)
        }
    }

    // MARK: Shared with the other getters

    func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Reads, to check it, what another machine will read for good: a variable that is not set here is no problem.
    func passingOn<Value>(_ read: () -> Value) -> Value {
        let before = toleratesUnset
        toleratesUnset = true
        defer { toleratesUnset = before }
        return read()
    }

    /// The value of a key, which from now on is a known one; nil where it is not in the file.
    func look(_ key: String) -> YAMLNode? {
        if !known.contains(key) { known.append(key) }
        return entries[key]?.value
    }

    func reportMissing(_ key: String) {
        problems.append(node.mark, path(of: key), "missing; write '\(key): …'")
    }

    /// The items of a list with their paths; a problem where the value is no list.
    func items(_ key: String) -> [(node: YAMLNode, path: String)] {
        guard let node = look(key) else { return [] }
        guard case .sequence(let items) = node.content else {
            problems.append(
                node.mark, path(of: key), "here stands \(node.kind); write a list, one '- …' a line, or [a, b]")
            return []
        }
        return items.enumerated().map { ($1, "\(path(of: key))[\($0)]") }
    }

    func read<Value>(_ node: YAMLNode, at path: String, _ format: ConfigurationFormat<Value>) -> Value? {
        guard let scalar = node.scalar else {
            problems.append(node.mark, path, "here stands \(node.kind); write a single value")
            return nil
        }
        if let problem = scalar.problem {
            if !toleratesUnset { problems.append(node.mark, path, problem) }
            return nil
        }
        if scalar.isNull {
            problems.append(node.mark, path, "has no value; write one or leave the key out")
            return nil
        }
        do throws(ConfigurationFormat<Value>.Mismatch) {
            return try format.parse(scalar.text, node.mark)
        } catch {
            let shown = format.isShown ? "'\(scalar.raw.prefix(60))'" : "the value"
            problems.append(node.mark, path, "\(shown) \(error.text)")
            return nil
        }
    }
}

/// The problems of one file, shared by the readers of all its mappings.
final class ConfigurationProblems {
    private var found: [ConfigurationProblem] = []
    private var omitted = 0

    var isEmpty: Bool { found.isEmpty }
    var error: ConfigurationError? { found.isEmpty ? nil : ConfigurationError(found, omitted: omitted) }

    func append(_ mark: YAMLMark, _ path: String, _ text: String) {
        // Kept past the number shown, so that the first of the file are shown and not the first found.
        guard found.count < 50 * Limits.configurationProblems else {
            omitted += 1
            return
        }
        found.append(ConfigurationProblem(mark: mark, path: path, text: text))
    }
}
