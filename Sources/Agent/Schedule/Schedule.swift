import Envelope

/// When a job runs. Pure arithmetic: the shell reads the clock and waits.
public enum Schedule: Hashable, Sendable {
    /// At a fixed rate: at the whole multiples of `period` counted from `anchor`. It does not drift with the time
    /// a run takes, and runs that were missed are skipped, not made up for.
    case interval(Duration, anchor: WallTime)
    /// At the minutes a cron expression names.
    case cron(Cron)
    /// Whenever the source has something new. Sources are asked every `poll`: a listing of a directory or a query
    /// on an indexed column is cheap, and works on network shares, where change notices do not arrive.
    case onChange(poll: Duration)

    /// Every `period`, counted from 1970: "every 15 minutes" means at :00, :15, :30 and :45.
    public static func interval(_ period: Duration) -> Schedule {
        .interval(period, anchor: WallTime(milliseconds: 0))
    }

    /// On change, noticed within a second.
    public static var onChange: Schedule { .onChange(poll: .seconds(1)) }

    /// The shortest period: the clock of the schedule counts milliseconds.
    public static let shortestPeriod = Duration.milliseconds(1)

    /// The first time to run that is later than `time`; nil where there is none, such as for 30 February.
    ///
    /// Ask anew after each run and whenever the wall clock may have been set, with the time it shows then: the
    /// answer depends on nothing else.
    public func nextFire(after time: WallTime, in zone: TimeZone = .utc) -> WallTime? {
        switch self {
        case .interval(let period, let anchor):
            Self.nextMultiple(of: period, from: anchor, after: time)
        case .cron(let cron):
            cron.nextFire(after: time, in: zone)
        case .onChange(let poll):
            Self.nextMultiple(of: poll, from: time, after: time)
        }
    }

    /// nil where the next multiple lies beyond the end of the clock.
    private static func nextMultiple(of period: Duration, from anchor: WallTime, after time: WallTime) -> WallTime? {
        let step = max(period, shortestPeriod).wholeMilliseconds
        let (elapsed, tooFar) = time.milliseconds.subtractingReportingOverflow(anchor.milliseconds)
        guard !tooFar else { return nil }
        let passed = elapsed >= 0 ? elapsed / step : -((-(elapsed + 1)) / step) - 1
        let (offset, overflow) = (passed + 1).multipliedReportingOverflow(by: step)
        let (next, beyond) = anchor.milliseconds.addingReportingOverflow(offset)
        return overflow || beyond ? nil : WallTime(milliseconds: next)
    }
}
