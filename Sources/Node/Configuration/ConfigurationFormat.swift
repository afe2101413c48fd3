import Envelope

/// How the text of one value becomes a value of Swift.
///
/// Used as the second argument of ``ConfigurationReader``'s getters: `reader.required("port", .integer(in: 1...65_535))`.
public struct ConfigurationFormat<Value> {
    /// Why a text is no such value: a phrase that follows the value in a message, with what to write instead.
    public struct Mismatch: Error, Equatable, Sendable {
        public var text: String
        public init(_ text: String) { self.text = text }
    }

    /// What a getter returns where the file has no good value. Nobody uses it: ``ConfigurationReader/finish()`` throws.
    let provisional: Value
    /// False for a value that no message may show.
    let isShown: Bool
    let parse: (String, YAMLMark) throws(Mismatch) -> Value

    /// - Parameters:
    ///   - provisional: any value of the type; it stands in until the problem is thrown.
    ///   - isShown: false where the value may be a secret.
    ///   - parse: reads the text, its variables already replaced. Its error must not repeat the text.
    public init(
        provisional: Value, isShown: Bool = true, parse: @escaping (String, YAMLMark) throws(Mismatch) -> Value
    ) {
        self.provisional = provisional
        self.isShown = isShown
        self.parse = parse
    }

    /// Reads a text that stands in no file, such as a word of a command line.
    public func read(_ text: String) throws(Mismatch) -> Value {
        try parse(text, YAMLMark(file: "", line: 0, column: 0))
    }
}

extension ConfigurationFormat where Value == String {
    /// Any text but the empty one.
    public static var string: Self {
        Self(provisional: "") { text, _ throws(Mismatch) in
            guard !text.isEmpty else { throw Mismatch("is empty; write a text or leave the key out") }
            return text
        }
    }

    /// A text that no message shows, such as a connection string.
    public static var secret: Self {
        Self(provisional: "", isShown: false) { text, _ throws(Mismatch) in
            guard !text.isEmpty else { throw Mismatch("is empty; write a text or leave the key out") }
            return text
        }
    }

    /// A path; a relative one is taken from the directory of the configuration file.
    public static var path: Self {
        Self(provisional: "") { text, mark throws(Mismatch) in
            guard !text.isEmpty else { throw Mismatch("is empty; write a path") }
            guard !text.hasPrefix("/"), mark.directory != "." else { return text }
            return mark.directory.hasSuffix("/") ? mark.directory + text : mark.directory + "/" + text
        }
    }
}

extension ConfigurationFormat where Value == Int {
    /// A whole number in decimal digits.
    public static func integer(in range: ClosedRange<Int> = 0...Int.max) -> Self {
        Self(provisional: range.lowerBound) { text, _ throws(Mismatch) in
            let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw Mismatch("is not a whole number; write digits, such as \(range.lowerBound)")
            }
            guard digits.count == 1 || digits.first != "0" else {
                throw Mismatch("begins with 0, which some take for octal; write it without")
            }
            guard let number = Int(text), range.contains(number) else {
                throw Mismatch(
                    range.upperBound == .max
                        ? "is out of range; write \(range.lowerBound) or more"
                        : "is out of range; write \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    /// A number of bytes, such as `64KiB`, `10MB`, `1GiB` or plain `4096`.
    public static func byteSize(in range: ClosedRange<Int> = 0...Int.max) -> Self {
        Self(provisional: range.lowerBound) { text, _ throws(Mismatch) in
            try Quantity.bytes(text, what: "a size", example: "64KiB, 10MB or 1GiB", in: range)
        }
    }

    /// Bytes a second, such as `10MB` or `10MB/s`.
    public static func byteRate(in range: ClosedRange<Int> = 1...Int.max) -> Self {
        Self(provisional: range.lowerBound) { text, _ throws(Mismatch) in
            let number = text.hasSuffix("/s") ? String(text.dropLast(2)) : text
            return try Quantity.bytes(number, what: "a rate", example: "512KiB/s or 10MB/s", in: range)
        }
    }
}

extension ConfigurationFormat where Value == Bool {
    /// `true` or `false`.
    public static var boolean: Self {
        Self(provisional: false) { text, _ throws(Mismatch) in
            switch text {
            case "true": return true
            case "false": return false
            default: throw Mismatch("is neither true nor false; write one of them")
            }
        }
    }
}

extension ConfigurationFormat where Value == Duration {
    /// A time span with one unit: `20ms`, `5s`, `10m`, `2h`, `3d`.
    public static func duration(in range: ClosedRange<Duration> = .zero ... .seconds(36_500 * 86_400)) -> Self {
        Self(provisional: range.lowerBound) { text, _ throws(Mismatch) in
            try Quantity.duration(text, in: range)
        }
    }
}

extension ConfigurationFormat where Value == NodeName {
    /// A node's name, such as `plant-a/relay-1`.
    public static var nodeName: Self {
        Self(provisional: .provisional) { text, _ throws(Mismatch) in
            guard let name = try? NodeName(text) else {
                throw Mismatch(
                    "is not a node's name; write zone/name in lower-case letters, digits and '-', such as plant-a/relay-1"
                )
            }
            return name
        }
    }
}

extension ConfigurationFormat where Value == NodePattern {
    /// One node, the nodes of a zone or all: `plant-a/agent-1`, `plant-a/*`, `*`.
    public static var nodePattern: Self {
        Self(provisional: .everyone) { text, _ throws(Mismatch) in
            guard let pattern = NodePattern(text) else {
                throw Mismatch("names no nodes; write zone/name, zone/* for all of a zone, or '*' for all")
            }
            return pattern
        }
    }
}

extension ConfigurationFormat where Value: CaseIterable & CustomStringConvertible {
    /// One of the words of an enumeration, by its cases' descriptions.
    public static func word(_ type: Value.Type = Value.self) -> Self {
        guard let first = Value.allCases.first else { preconditionFailure("\(Value.self) has no cases") }
        return Self(provisional: first) { text, _ throws(Mismatch) in
            if let value = Value.allCases.first(where: { $0.description == text }) { return value }
            let words = Value.allCases.map(\.description)
            if let nearest = NearestWord.of(text, in: words) {
                throw Mismatch("is not known here; did you mean '\(nearest)'?")
            }
            throw Mismatch("is not known here; write one of \(words.joined(separator: ", "))")
        }
    }
}

extension NodeName {
    /// Stands in for a name that could not be read.
    static let provisional: NodeName = {
        guard let name = try? NodeName("zone/node") else { preconditionFailure("zone/node is a legal name") }
        return name
    }()
}
