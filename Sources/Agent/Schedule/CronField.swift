/// One of the five places of a cron expression.
public enum CronField: String, Sendable {
    case minute
    case hour
    case day = "day of month"
    case month
    case weekday = "day of week"

    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        case .weekday: 0...7
        }
    }

    /// One bit a value that the field's text names.
    func bits(of text: Substring) throws(CronError) -> UInt64 {
        var bits: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try itemBits(item)
        }
        return bits
    }

    private func itemBits(_ item: Substring) throws(CronError) -> UInt64 {
        let parts = item.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = parts.first else { throw .malformed(self, String(item)) }
        var step = 1
        if parts.count == 2 {
            guard let number = Int(parts[1]), number > 0, number <= range.upperBound else {
                throw .step(self, String(item))
            }
            step = number
        }
        let span = try span(of: base, isStepped: parts.count == 2)
        return stride(from: span.lowerBound, through: span.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    /// `*`, a range or one value; one value with a step runs to the end of the field.
    private func span(of text: Substring, isStepped: Bool) throws(CronError) -> ClosedRange<Int> {
        if text == "*" { return self == .weekday ? 0...6 : range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let first = ends.first, let last = ends.last else {
            throw .malformed(self, String(text))
        }
        let low = try value(of: first)
        let high = ends.count == 1 && isStepped ? range.upperBound : try value(of: last)
        guard low <= high else { throw .backwards(self, String(text)) }
        return low...high
    }

    private func value(of text: Substring) throws(CronError) -> Int {
        let number = Int(text) ?? names.firstIndex(of: text.lowercased()).map { $0 + range.lowerBound }
        guard let number, text.first != "+", range.contains(number) else { throw .value(self, String(text)) }
        return number
    }

    private var names: [String] {
        switch self {
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        case .minute, .hour, .day: []
        }
    }
}

/// Why a text is not a cron expression.
public enum CronError: Error, Equatable, CustomStringConvertible {
    case fieldCount(Int)
    case malformed(CronField, String)
    case step(CronField, String)
    case value(CronField, String)
    case backwards(CronField, String)

    public var description: String {
        switch self {
        case .fieldCount(let count):
            "a cron expression has five fields (minute hour day month weekday), this one has \(count); an example is '*/15 6-18 * * mon-fri'"
        case .malformed(let field, let text):
            "'\(text.prefix(40))' cannot stand for the \(field.rawValue); write a value, a range 1-5, a step */2, or a list of these"
        case .step(let field, let text):
            "the step in '\(text.prefix(40))' (\(field.rawValue)) must be a number from 1 to \(field.range.upperBound)"
        case .value(let field, let text):
            "'\(text.prefix(40))' cannot stand for the \(field.rawValue); it goes from \(field.range.lowerBound) to \(field.range.upperBound)"
        case .backwards(let field, let text):
            "the range '\(text.prefix(40))' (\(field.rawValue)) runs backwards; write it as two ranges in a list"
        }
    }
}
