/// One entry of the command table. Help, completion and the manual are made from it.
struct Command: Sendable {
    /// The words that name it: `["node", "status"]`.
    var name: [String]
    /// One line, without a full stop.
    var summary: String
    /// What the summary has no room for.
    var details: String = ""
    var arguments: [Argument] = []
    var options: [Option] = []
    var examples: [Example]
    var run: @Sendable (Invocation, Terminal) throws(Failure) -> Void

    /// The options of this command and the ones every command has.
    var allOptions: [Option] { options + [.colour, .help] }

    var usage: String {
        let words = ["relayctl"] + name + arguments.map(\.usage) + options.filter(\.isRequired).map(\.usage)
        let hasMore = options.contains { !$0.isRequired }
        return (words + (hasMore ? ["[options]"] : [])).joined(separator: " ")
    }
}

/// What a command takes by position.
struct Argument: Sendable {
    var name: String
    var summary: String
    var isRequired = true
    /// May stand several times; only the last argument may.
    var repeats = false
    var completion = Completion.nothing

    var usage: String {
        let base = repeats ? "\(name)..." : name
        return isRequired ? base : "[\(base)]"
    }
}

/// What a command takes by name.
struct Option: Sendable {
    enum Value: Sendable {
        /// Present or not.
        case none
        /// Followed by a text; the placeholder is for people.
        case text(placeholder: String)
        /// Followed by one of these words.
        case choice([String])
        /// Followed by a number, or not.
        case optionalNumber(placeholder: String, otherwise: String)
    }

    /// All spellings; the first is the one that documents show.
    var spellings: [String]
    var value: Value = .none
    var summary: String
    var isRequired = false
    var repeats = false
    var completion = Completion.nothing

    var name: String { spellings[0] }

    var placeholder: String? {
        switch value {
        case .none: nil
        case .text(let placeholder): placeholder
        case .choice(let words): words.joined(separator: "|")
        case .optionalNumber(let placeholder, _): "[\(placeholder)]"
        }
    }

    var usage: String { ([name] + (placeholder.map { [$0] } ?? [])).joined(separator: " ") }
}

/// What a shell may offer for a value.
enum Completion: Sendable {
    case nothing, file, directory
    case words([String])
}

/// A line that can be typed as it is, and what it does.
struct Example: Sendable {
    var line: String
    var meaning: String
}

/// A first word that several commands share.
struct Noun: Sendable {
    var name: String
    var summary: String
}
