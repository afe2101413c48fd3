import Envelope

/// Puts the parser's events together to one tree.
///
/// Holds: open containers are a stack of at most ``Envelope/Limits/configurationDepth``; each mapping on it waits for a
/// key or for the value of its last key. A throw ends the reading of the file.
struct YAMLTreeBuilder {
    /// Changed in place on the stack: copying it for each child would take quadratic time.
    private struct Open {
        var mark: YAMLMark
        var isMapping: Bool
        var items: [YAMLNode] = []
        var entries: [YAMLEntry] = []
        /// The line of each key so far.
        var keys: [String: Int] = [:]
        /// The key that waits for its value.
        var pending: (key: String, mark: YAMLMark)?

        var expectsKey: Bool { isMapping && pending == nil }
    }

    private let file: String
    private let environment: YAMLEnvironment
    private var stack: [Open] = []
    private var root: YAMLNode?
    private var documents = 0
    private var nodes = 0
    private var expandedBytes = 0

    init(file: String, environment: YAMLEnvironment) {
        self.file = file
        self.environment = environment
    }

    /// - Returns: false once there are no more events.
    mutating func take(_ event: YAMLEvent) throws(ConfigurationError) -> Bool {
        switch event {
        case .nothing: break
        case .streamEnd: return false
        case .refused(let text, let mark): throw ConfigurationError(at: mark, text)
        case .documentStart(let mark):
            documents += 1
            guard documents == 1 else {
                throw ConfigurationError(at: mark, "a second document ('---') begins here; a file holds one")
            }
        case .sequenceStart(let mark): try open(Open(mark: mark, isMapping: false))
        case .mappingStart(let mark): try open(Open(mark: mark, isMapping: true))
        case .scalar(let text, let style, let mark): try scalar(text, style, mark)
        case .containerEnd: close()
        }
        return true
    }

    func finish() throws(ConfigurationError) -> YAMLNode {
        guard let root else {
            throw ConfigurationError(at: YAMLMark(file: file, line: 1, column: 1), "the file is empty")
        }
        return root
    }

    private mutating func count(_ mark: YAMLMark) throws(ConfigurationError) {
        nodes += 1
        guard nodes <= Limits.configurationNodes else {
            throw ConfigurationError(at: mark, "more than \(Limits.configurationNodes) values; divide the file")
        }
    }

    private mutating func open(_ container: Open) throws(ConfigurationError) {
        try count(container.mark)
        if stack.last?.expectsKey == true {
            throw ConfigurationError(
                at: container.mark, "a list or mapping as a key is not supported; a key is one word")
        }
        guard stack.count < Limits.configurationDepth else {
            throw ConfigurationError(at: container.mark, "nested deeper than \(Limits.configurationDepth) levels")
        }
        stack.append(container)
    }

    private mutating func close() {
        guard let closed = stack.popLast() else { return }
        let content: YAMLNode.Content = closed.isMapping ? .mapping(closed.entries) : .sequence(closed.items)
        place(YAMLNode(content, mark: closed.mark))
    }

    private mutating func scalar(
        _ raw: String, _ style: YAMLScalar.Style, _ mark: YAMLMark
    ) throws(ConfigurationError) {
        try count(mark)
        guard stack.last?.expectsKey == true else {
            place(YAMLNode(.scalar(expanded(raw, style)), mark: mark))
            return
        }
        let top = stack.count - 1
        if let first = stack[top].keys.updateValue(mark.line, forKey: raw) {
            throw ConfigurationError(
                at: mark, "the key '\(raw.prefix(80))' stands here twice; it is on line \(first) already")
        }
        stack[top].pending = (raw, mark)
    }

    private mutating func expanded(_ raw: String, _ style: YAMLScalar.Style) -> YAMLScalar {
        do throws(YAMLEnvironment.Failure) {
            let text = try environment.expand(raw)
            if text != raw { expandedBytes += text.utf8.count }
            guard expandedBytes <= Limits.configurationExpansionBytes else {
                throw YAMLEnvironment.Failure(
                    text: "the file's variables come to more than \(Limits.configurationExpansionBytes) bytes")
            }
            return YAMLScalar(raw: raw, text: text, style: style)
        } catch {
            return YAMLScalar(raw: raw, text: raw, style: style, problem: error.text)
        }
    }

    private mutating func place(_ node: YAMLNode) {
        guard !stack.isEmpty else {
            root = node
            return
        }
        let top = stack.count - 1
        if let pending = stack[top].pending {
            stack[top].entries.append(YAMLEntry(key: pending.key, keyMark: pending.mark, value: node))
            stack[top].pending = nil
        } else {
            stack[top].items.append(node)
        }
    }
}
