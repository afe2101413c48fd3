import Agent
import Envelope

/// How far back a source looks for rows that were committed late.
public enum SQLOverlap: Hashable, Sendable {
    /// For an increasing column of numbers.
    case number(Int64)
    /// For an increasing column of times.
    case time(Duration)

    /// Reads `500` or `30s`; nil for anything else.
    public init?(_ text: String) {
        if let number = Int64(text), number >= 0 {
            self = .number(number)
            return
        }
        let units: [(String, Int64)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        for (unit, milliseconds) in units where text.hasSuffix(unit) {
            guard let count = Int64(text.dropLast(unit.count)), (0...1_000_000).contains(count) else { return nil }
            self = .time(.milliseconds(count * milliseconds))
            return
        }
        return nil
    }
}

/// A value of the increasing column on a line of numbers, so that a distance can be taken off it.
enum SQLPosition {
    /// nil where the value has no place on the line.
    static func of(_ value: SQLValue) -> Int64? {
        switch value {
        case .integer(let integer): return integer
        case .real(let real):
            // Rounded down: the line only says which rows to remember.
            return real.magnitude < 9e18 ? Int64(real.rounded(.down)) : nil
        case .text(let text): return microseconds(text)
        case .null, .binary: return nil
        }
    }

    /// The value to look back to.
    /// - Throws: ``ConnectorError`` where overlap and column do not go together.
    static func start(of value: SQLValue, overlap: SQLOverlap?) throws(ConnectorError) -> SQLValue {
        switch (overlap, value) {
        case (nil, _): return value
        case (.number(let distance), .integer(let integer)):
            let (start, overflow) = integer.subtractingReportingOverflow(distance)
            return .integer(overflow ? .min : start)
        case (.number(let distance), .real(let real)): return .real(real - Double(distance))
        case (.time(let distance), .text(let text)):
            guard let start = text.count >= 19 ? earlier(text, by: distance) : nil else { break }
            return .text(start)
        default: break
        }
        throw ConnectorError(
            .configuration,
            "the overlap does not fit the increasing column: numbers take a number, times a span such as 30s")
    }

    /// The same form of time, so much earlier; a zone at its end stays.
    private static func earlier(_ text: String, by distance: Duration) -> String? {
        guard let moment = microseconds(text) else { return nil }
        let zone = text.dropFirst(19).drop { $0 == "." || $0.isNumber }
        guard let local = microseconds(String(text.dropLast(zone.count))), moment != .min else { return nil }
        let start = local - distance.wholeNanoseconds / 1_000
        let seconds = start >= 0 ? start / 1_000_000 : (start - 999_999) / 1_000_000
        let civil = CivilTime(secondsSinceEpoch: Int(seconds))
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let separator = text.dropFirst(10).prefix(1)
        let fraction = padded(Int(start - seconds * 1_000_000), 6)
        return "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))\(separator)"
            + "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2)).\(fraction)\(zone)"
    }

    private static func microseconds(_ text: String) -> Int64? {
        guard let time = TimeFormat.iso8601.time(of: text.utf8) else { return nil }
        let digits = text.split(separator: ".").dropFirst().first?.prefix { $0.isNumber } ?? ""
        let beyond = digits.dropFirst(3).prefix(3)
        let micro = (Int64(beyond) ?? 0) * [1, 100, 10, 1][min(3, beyond.count)]
        let (scaled, overflow) = time.milliseconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? nil : scaled + micro
    }
}
