import Agent
import Envelope
import Testing

@Suite("Cron")
struct ScheduleCronTests {
    private func time(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> WallTime {
        let civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute)
        return WallTime(milliseconds: Int64(civil.secondsSinceEpoch) * 1_000)
    }

    private func next(_ expression: String, after: WallTime, in zone: TimeZone = .utc) throws -> WallTime? {
        try Cron(expression).nextFire(after: after, in: zone)
    }

    @Test("Civil time and seconds agree on every day of 800 years")
    func civilTimeRoundTrips() {
        var weekday = CivilTime(year: 1700, month: 1, day: 1).weekday
        let first = CivilTime(year: 1700, month: 1, day: 1).daysSinceEpoch
        var expected = CivilTime(year: 1700, month: 1, day: 1)
        var wrong: [Int] = []
        for day in first..<first + 292_000 {
            let civil = CivilTime(secondsSinceEpoch: day * 86_400 + 3_661)
            let isRight =
                (civil.year, civil.month, civil.day) == (expected.year, expected.month, expected.day)
                && civil.secondsSinceEpoch == day * 86_400 + 3_661 && civil.weekday == weekday
            if !isRight { wrong.append(day) }
            weekday = (weekday + 1) % 7
            expected.day += 1
            if expected.day > CivilTime.days(inMonth: expected.month, of: expected.year) {
                expected.day = 1
                expected.month += 1
            }
            if expected.month > 12 {
                expected.month = 1
                expected.year += 1
            }
        }
        #expect(wrong.isEmpty)
        #expect(CivilTime(year: 1970, month: 1, day: 1).weekday == 4)
        #expect(CivilTime(year: 2024, month: 2, day: 29).daysSinceEpoch == 19_782)
    }

    @Test("Steps, ranges and lists")
    func stepsRangesLists() throws {
        #expect(try next("*/15 * * * *", after: time(2026, 3, 1, 10, 14)) == time(2026, 3, 1, 10, 15))
        #expect(try next("*/15 * * * *", after: time(2026, 3, 1, 10, 45)) == time(2026, 3, 1, 11, 0))
        #expect(try next("5,35 8-9 * * *", after: time(2026, 3, 1, 9, 35)) == time(2026, 3, 2, 8, 5))
        #expect(try next("10-50/20 * * * *", after: time(2026, 3, 1, 0, 10)) == time(2026, 3, 1, 0, 30))
        #expect(try next("7/20 * * * *", after: time(2026, 3, 1, 0, 28)) == time(2026, 3, 1, 0, 47))
        #expect(try next("0 0 1 JAN,jul *", after: time(2026, 3, 1)) == time(2026, 7, 1))
        #expect(try next("30 6 * * mon-fri", after: time(2026, 3, 6, 6, 30)) == time(2026, 3, 9, 6, 30))
    }

    @Test("Both 0 and 7 are Sunday")
    func sunday() throws {
        for expression in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * 7-7"] {
            #expect(try next(expression, after: time(2026, 3, 2)) == time(2026, 3, 8))
        }
        #expect(try next("0 0 * * 5-7", after: time(2026, 3, 7, 0, 0)) == time(2026, 3, 8))
    }

    @Test("Day of month and day of week together mean either")
    func eitherDay() throws {
        #expect(try next("0 0 13 * 5", after: time(2026, 3, 1)) == time(2026, 3, 6))
        #expect(try next("0 0 14 * 5", after: time(2026, 3, 13)) == time(2026, 3, 14))
        #expect(try next("0 0 */2 * 5", after: time(2026, 3, 1)) == time(2026, 3, 13))
    }

    @Test("Leap years and month ends")
    func leapYearsAndMonthEnds() throws {
        #expect(try next("0 0 29 2 *", after: time(2024, 2, 29)) == time(2028, 2, 29))
        #expect(try next("0 0 29 2 *", after: time(2096, 3, 1)) == time(2104, 2, 29))
        #expect(try next("0 0 31 * *", after: time(2026, 3, 31)) == time(2026, 5, 31))
        #expect(try next("0 0 30 2 *", after: time(2026, 3, 31)) == nil)
        #expect(try next("* * * * *", after: WallTime(milliseconds: .max)) == nil)
        #expect(try next("* * * * *", after: WallTime(milliseconds: .min)) == nil)
        #expect(try next("59 23 31 12 *", after: time(2026, 12, 31, 23, 59)) == time(2027, 12, 31, 23, 59))
        #expect(try next("* * * * *", after: time(2024, 2, 28, 23, 59)) == time(2024, 2, 29))
    }

    @Test("The answer is always later, on a whole minute, and the only step to it")
    func neverSkips() throws {
        let cron = try Cron("7,22,41 3-20/4 * * *")
        var now = time(2026, 2, 27)
        for _ in 0..<60 {
            let fire = try #require(cron.nextFire(after: now))
            #expect(fire > now)
            #expect(fire.milliseconds.isMultiple(of: 60_000))
            #expect(cron.nextFire(after: WallTime(milliseconds: fire.milliseconds - 1)) == fire)
            now = fire
        }
        #expect(now == time(2026, 3, 2, 19, 41))
    }

    @Test("A zone with summer time: skipped hours fire after the change, repeated ones once")
    func summerTime() throws {
        // One hour ahead in winter, two from 2026-03-29 01:00 UTC to 2026-10-25 01:00 UTC.
        let start = time(2026, 3, 29, 1)
        let end = time(2026, 10, 25, 1)
        let zone = TimeZone { $0 >= start && $0 < end ? 7_200 : 3_600 }
        #expect(try next("0 6 * * *", after: time(2026, 3, 28, 5), in: zone) == time(2026, 3, 29, 4))
        #expect(try next("30 2 * * *", after: time(2026, 3, 28, 1, 30), in: zone) == time(2026, 3, 29, 1, 30))
        #expect(try next("30 2 * * *", after: time(2026, 3, 29, 1, 30), in: zone) == time(2026, 3, 30, 0, 30))
        #expect(try next("30 2 * * *", after: time(2026, 10, 24, 0, 30), in: zone) == time(2026, 10, 25, 0, 30))
        #expect(try next("30 2 * * *", after: time(2026, 10, 25, 0, 30), in: zone) == time(2026, 10, 26, 1, 30))
    }

    @Test(
        "What is wrong is named",
        arguments: [
            ("", CronError.fieldCount(0)),
            ("* * * *", .fieldCount(4)),
            ("60 * * * *", .value(.minute, "60")),
            ("* 24 * * *", .value(.hour, "24")),
            ("* * 0 * *", .value(.day, "0")),
            ("* * * 13 *", .value(.month, "13")),
            ("* * * * 8", .value(.weekday, "8")),
            ("* * * * funday", .value(.weekday, "funday")),
            ("5-1 * * * *", .backwards(.minute, "5-1")),
            ("*/0 * * * *", .step(.minute, "*/0")),
            ("1,,2 * * * *", .value(.minute, "")),
            ("1/2/3 * * * *", .malformed(.minute, "1/2/3")),
            ("+5 * * * *", .value(.minute, "+5")),
            ("-5 * * * *", .value(.minute, "")),
        ])
    func errors(expression: String, error: CronError) {
        #expect(throws: error) { try Cron(expression) }
        #expect(!error.description.isEmpty)
    }

    @Test("Nicknames")
    func nicknames() throws {
        #expect(try next("@hourly", after: time(2026, 1, 1, 5, 1)) == time(2026, 1, 1, 6))
        #expect(try next("@yearly", after: time(2026, 1, 1)) == time(2027, 1, 1))
    }
}
