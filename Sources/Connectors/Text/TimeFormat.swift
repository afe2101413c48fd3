import Agent
import Envelope

/// How a column writes a point in time. A time without a zone is taken as UTC.
public enum TimeFormat: Hashable, Sendable {
    /// ISO 8601 / RFC 3339: `2026-03-01T12:00:00.250+01:00`; a blank for the `T`, a bare date, and no zone are
    /// allowed.
    case iso8601
    /// Seconds since 1970, with or without a fraction.
    case unix
    /// Milliseconds since 1970.
    case unixMilliseconds
    /// A pattern of `%Y %m %d %H %M %S %f %z %%` and text that stands for itself; `%f` is a fraction of any length.
    case pattern(String)

    /// Reads the word or pattern of a configuration; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "iso8601": self = .iso8601
        case "unix": self = .unix
        case "unixMilliseconds": self = .unixMilliseconds
        case _ where text.contains("%"): self = .pattern(text)
        default: return nil
        }
    }

    /// nil where the text is no such time.
    func time(of text: some Swift.Sequence<UInt8>) -> WallTime? {
        let text = Array(text)
        switch self {
        case .iso8601: return Self.iso8601(text)
        case .unix: return Double(String(decoding: text, as: UTF8.self)).flatMap { Self.wallTime($0 * 1_000) }
        case .unixMilliseconds: return Int64(String(decoding: text, as: UTF8.self)).map(WallTime.init(milliseconds:))
        case .pattern(let pattern): return TimeScanner(text).time(by: Array(pattern.utf8))
        }
    }

    private static func iso8601(_ text: [UInt8]) -> WallTime? {
        let date = "%Y-%m-%d"
        guard text.count > 10 else { return TimeScanner(text).time(by: Array(date.utf8)) }
        let isZoned = text.dropFirst(10).contains { [UInt8(ascii: "Z"), UInt8(ascii: "z"), 43, 45].contains($0) }
        let hasFraction = text.count > 19 && text[19] == UInt8(ascii: ".")
        let hasSeconds = text.count > 16 && text[16] == UInt8(ascii: ":")
        guard text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: " ") else { return nil }
        let separator = text[10] == UInt8(ascii: "T") ? "T" : " "
        let pattern =
            date + separator + "%H:%M" + (hasSeconds ? ":%S" : "") + (hasFraction ? ".%f" : "")
            + (isZoned ? "%z" : "")
        return TimeScanner(text).time(by: Array(pattern.utf8))
    }

    private static func wallTime(_ milliseconds: Double) -> WallTime? {
        guard milliseconds.magnitude < 1e17 else { return nil }
        return WallTime(milliseconds: Int64(milliseconds.rounded()))
    }
}

/// Reads one time by a pattern.
private struct TimeScanner {
    private let text: [UInt8]
    private var position = 0
    private var civil = CivilTime(year: 1970, month: 1, day: 1)
    private var milliseconds: Int64 = 0
    private var secondsEast = 0

    init(_ text: [UInt8]) { self.text = text }

    func time(by pattern: [UInt8]) -> WallTime? {
        var scanner = self
        var index = 0
        while index < pattern.count {
            if pattern[index] == UInt8(ascii: "%"), index + 1 < pattern.count {
                guard scanner.read(pattern[index + 1]) else { return nil }
                index += 2
            } else {
                guard scanner.literal(pattern[index]) else { return nil }
                index += 1
            }
        }
        guard scanner.position == text.count, scanner.isReal else { return nil }
        let seconds = Int64(scanner.civil.secondsSinceEpoch - scanner.secondsEast)
        return WallTime(milliseconds: seconds * 1_000 + scanner.milliseconds)
    }

    private var isReal: Bool {
        (1...12).contains(civil.month) && (1...CivilTime.days(inMonth: civil.month, of: civil.year)).contains(civil.day)
            && (0...23).contains(civil.hour) && (0...59).contains(civil.minute) && (0...60).contains(civil.second)
    }

    private mutating func literal(_ byte: UInt8) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func read(_ field: UInt8) -> Bool {
        switch field {
        case UInt8(ascii: "Y"): store(digits(4), \.year)
        case UInt8(ascii: "m"): store(digits(2), \.month)
        case UInt8(ascii: "d"): store(digits(2), \.day)
        case UInt8(ascii: "H"): store(digits(2), \.hour)
        case UInt8(ascii: "M"): store(digits(2), \.minute)
        case UInt8(ascii: "S"): store(digits(2), \.second)
        case UInt8(ascii: "f"): fraction()
        case UInt8(ascii: "z"): zone()
        case UInt8(ascii: "%"): literal(field)
        default: false
        }
    }

    private mutating func store(_ value: Int?, _ field: WritableKeyPath<CivilTime, Int>) -> Bool {
        guard let value else { return false }
        civil[keyPath: field] = value
        return true
    }

    private mutating func digits(_ count: Int) -> Int? {
        guard position + count <= text.count else { return nil }
        var value = 0
        for byte in text[position..<position + count] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        position += count
        return value
    }

    private mutating func fraction() -> Bool {
        let start = position
        var scale: Int64 = 100
        while position < text.count, (48...57).contains(text[position]) {
            milliseconds += Int64(text[position] - 48) * scale
            scale /= 10
            position += 1
        }
        return position > start
    }

    /// `Z`, `+01`, `+0100` or `+01:00`.
    private mutating func zone() -> Bool {
        if literal(UInt8(ascii: "Z")) || literal(UInt8(ascii: "z")) { return true }
        let isWest = literal(UInt8(ascii: "-"))
        guard isWest || literal(UInt8(ascii: "+")), let hours = digits(2) else { return false }
        _ = literal(UInt8(ascii: ":"))
        let minutes = position < text.count ? digits(2) : 0
        guard let minutes else { return false }
        secondsEast = (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
        return true
    }
}
