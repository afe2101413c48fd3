import Envelope

/// Reports write a time of day as RFC 3339 in UTC with milliseconds: `2026-11-21T09:52:39.123Z`.
extension WallTime: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = WallTime(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text.prefix(40))' is not a time such as 2026-11-21T09:52:39.123Z")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

extension WallTime {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// Times outside the years 0 to 9999, which RFC 3339 cannot write, are written as the nearest it can.
    public var rfc3339: String {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let day = clamped >= 0 ? clamped / Self.millisecondsPerDay : (clamped + 1) / Self.millisecondsPerDay - 1
        let rest = clamped - day * Self.millisecondsPerDay
        let date = Self.date(ofDay: day)
        let fields = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { Self.digits($0, 2) }
        let calendar = "\(Self.digits(date.year, 4))-\(Self.digits(date.month, 2))-\(Self.digits(date.day, 2))"
        return "\(calendar)T\(fields[0]):\(fields[1]):\(fields[2]).\(Self.digits(rest % 1000, 3))Z"
    }

    /// Reads exactly what ``rfc3339`` writes; nil for any other text or a day that is in no calendar.
    public init?(rfc3339 text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 24 else { return nil }
        let template = Array("0000-00-00T00:00:00.000Z".utf8)
        let zero = UInt8(ascii: "0")
        for (character, wanted) in zip(characters, template) {
            let fits = wanted == zero ? (zero...UInt8(ascii: "9")).contains(character) : character == wanted
            guard fits else { return nil }
        }
        func number(_ range: Range<Int>) -> Int64 {
            characters[range].reduce(0) { $0 * 10 + Int64($1 - zero) }
        }
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        guard (1...12).contains(number(5..<7)), (1...31).contains(number(8..<10)) else { return nil }
        guard hour < 24, minute < 60, second < 60 else { return nil }
        let day = Self.day(ofYear: number(0..<4), month: number(5..<7), day: number(8..<10))
        guard Self.date(ofDay: day).day == number(8..<10) else { return nil }
        let inDay = hour * 3_600_000 + minute * 60_000 + second * 1000 + number(20..<23)
        self.init(milliseconds: day * Self.millisecondsPerDay + inDay)
    }

    /// Days since 1970-01-01 of a date in the Gregorian calendar; years begin in March so that the leap day is
    /// the last of a year.
    private static func day(ofYear year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func digits(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
