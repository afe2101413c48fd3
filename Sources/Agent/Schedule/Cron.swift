import Envelope

/// A cron expression of five fields: minute, hour, day of month, month, day of week.
///
/// Each field is `*`, a value, a range `1-5`, a step `*/15` or `10-50/20`, or a list of these. Months and days of
/// the week may be English names of three letters; 0 and 7 are both Sunday. Where day of month and day of week
/// are both restricted, a day that matches either counts, as in Vixie cron. `@hourly`, `@daily`, `@weekly`,
/// `@monthly` and `@yearly` stand for their usual expressions.
public struct Cron: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// One bit a value.
    let minutes: UInt64
    let hours: UInt64
    let days: UInt64
    let months: UInt64
    let weekdays: UInt64
    /// True where both kinds of day are restricted, so that either one is enough.
    let eitherDay: Bool

    /// - Throws: ``CronError`` that names the field and what is wrong with it.
    public init(_ text: some StringProtocol) throws(CronError) {
        description = String(text)
        let expression = Self.nicknames[description] ?? description
        let fields = expression.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == 5 else { throw .fieldCount(fields.count) }
        minutes = try CronField.minute.bits(of: fields[0])
        hours = try CronField.hour.bits(of: fields[1])
        days = try CronField.day.bits(of: fields[2])
        months = try CronField.month.bits(of: fields[3])
        let weekdays = try CronField.weekday.bits(of: fields[4])
        self.weekdays = (weekdays | weekdays >> 7) & 0x7f
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    }

    private static let nicknames = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
}

extension Cron {
    /// Seconds the arithmetic is asked for: some 30,000 years either way, far from where it would overflow.
    private static let calendar = -1_000_000_000_000...1_000_000_000_000

    /// The first minute later than `time` that the expression names, seconds zero; nil where no date ever matches.
    ///
    /// Around a change to and from summer time: a local time that does not exist fires as far after the change as
    /// it would have come after it; one that exists twice fires once, the first time.
    public func nextFire(after time: WallTime, in zone: TimeZone = .utc) -> WallTime? {
        let now = CivilTime.floorDivide(Int(time.milliseconds), 1_000)
        guard Self.calendar.contains(now) else { return nil }
        var local = now + zone.secondsEast(time)
        // A candidate may fall at or before `time` where the clock was just put back: go on to the next.
        while let candidate = nextLocal(after: local) {
            let universal = Self.universal(ofLocal: candidate, in: zone)
            if universal > now { return WallTime(milliseconds: Int64(universal) * 1_000) }
            local = candidate
        }
        return nil
    }

    /// The UTC seconds of a local time. With two answers, the earlier; with none, the offset before the change.
    private static func universal(ofLocal local: Int, in zone: TimeZone) -> Int {
        func offset(_ seconds: Int) -> Int { zone.secondsEast(WallTime(milliseconds: Int64(seconds) * 1_000)) }
        let before = offset(local - 86_400)
        let early = local - before
        if offset(early) == before { return early }
        let late = local - offset(local + 86_400)
        return late + offset(late) == local ? late : early
    }

    /// The first matching minute after so many local seconds. Any date that exists comes again within eight years
    /// (29 February around a century that is no leap year), so the search is bounded.
    private func nextLocal(after seconds: Int) -> Int? {
        let start = (CivilTime.floorDivide(seconds, 60) + 1) * 60
        let today = CivilTime.floorDivide(start, 86_400)
        let minuteOfDay = (start - today * 86_400) / 60
        for day in today...today + 8 * 366 + 1 where matches(day: CivilTime(daysSinceEpoch: day)) {
            if let minute = firstMinute(from: day == today ? minuteOfDay : 0) { return day * 86_400 + minute * 60 }
        }
        return nil
    }

    private func firstMinute(from start: Int) -> Int? {
        for minute in start..<1_440 where hours & 1 << (minute / 60) != 0 && minutes & 1 << (minute % 60) != 0 {
            return minute
        }
        return nil
    }

    private func matches(day date: CivilTime) -> Bool {
        guard months & 1 << date.month != 0 else { return false }
        let byDate = days & 1 << date.day != 0
        let byWeekday = weekdays & 1 << date.weekday != 0
        return eitherDay ? byDate || byWeekday : byDate && byWeekday
    }
}
