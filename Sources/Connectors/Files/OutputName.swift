import Agent

/// The name of a file that a sink writes, made from a template and what a record says.
struct OutputName: Hashable {
    /// Bytes of a whole name, below PATH_MAX with room for the directory.
    static let length = 1_024
    /// The sink's own directory; nothing that arrives may write there.
    static let reserved = ".gridrelay"

    var text: String

    /// Refuses every name that could lead out of the sink's directory or into its own state: absolute, with `..`,
    /// with a NUL or another control character, empty parts, or too long for a file system.
    init(_ text: String) throws(ConnectorError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isLegal = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 255 && part.lowercased() != Self.reserved
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
        }
        guard isLegal, text.utf8.count <= Self.length else {
            throw ConnectorError(
                .rejected,
                "a record names a file that may not be written (\(text.utf8.count) bytes): names are relative, without '..' and control characters"
            )
        }
        self.text = text
    }
}

/// A file name with `{topic}`, `{source}` and `{path}` in it.
public struct OutputTemplate: Hashable, Sendable {
    private enum Part: Hashable {
        case text(String)
        case topic, source, path
    }

    private let parts: [Part]

    /// Whether records of different files go to different outputs.
    var usesPath: Bool { parts.contains(.path) }

    /// nil where a brace is left open or names something else.
    public init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            if open != rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            switch rest[rest.index(after: open)..<close] {
            case "topic": parts.append(.topic)
            case "source": parts.append(.source)
            case "path": parts.append(.path)
            default: return nil
            }
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        guard !parts.isEmpty else { return nil }
        self.parts = parts
    }

    func name(topic: String, source: String, path: String?) throws(ConnectorError) -> OutputName {
        var name = ""
        for part in parts {
            switch part {
            case .text(let text): name += text
            case .topic: name += topic
            case .source: name += source
            case .path:
                guard let path else {
                    throw ConnectorError(
                        .rejected, "a record tells no 'path'; take {path} out of the sink's name, or collect from files"
                    )
                }
                name += path
            }
        }
        return try OutputName(name)
    }
}
