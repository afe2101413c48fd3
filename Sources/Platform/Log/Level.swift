extension Log {
    /// How much a line matters; each level includes those after it.
    public enum Level: Int, Comparable, CaseIterable, Sendable, CustomStringConvertible {
        /// For finding faults; may be many lines a second.
        case debug
        /// What happened, in the ordinary course.
        case info
        /// What a person may want to know later: starts, stops, changes of configuration.
        case notice
        /// Something went wrong and the node goes on by itself.
        case warning
        /// Something went wrong and a person must act.
        case error

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

        public var description: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .notice: "notice"
            case .warning: "warning"
            case .error: "error"
            }
        }

        /// Reads the word a configuration uses; nil for anything else.
        public init?(_ word: some StringProtocol) {
            guard let level = Level.allCases.first(where: { $0.description == word }) else { return nil }
            self = level
        }
    }

    /// How a line looks.
    public enum Format: String, Sendable {
        case text
        case json
    }

    /// Where lines go, each with one call of write(2) so that lines of several threads do not mix.
    public enum Output: Sendable {
        case standardError
        case descriptor(Int32)
        case function(@Sendable ([UInt8]) -> Void)
    }

    /// What a line tells besides its text: names of fields with their values, in this order. Never a payload or
    /// a key.
    public typealias Fields = KeyValuePairs<String, any CustomStringConvertible>
}
