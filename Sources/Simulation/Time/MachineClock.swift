import Envelope

/// The two clocks of a machine over the world's true time: a monotonic one that begins anew at each boot, and a wall
/// clock that may be wrong, drift and step.
struct MachineClock {
    /// 2026-01-01 in milliseconds: what the wall shows when the world begins.
    static let epoch: Int64 = 1_767_225_600_000

    /// True time at which `monotonic` was right.
    private var anchor: Int64
    private var monotonic: Int64
    /// Parts per million by which both clocks run fast; negative: slow.
    private(set) var drift: Int64
    /// Nanoseconds since 1970 that the wall showed at the anchor.
    private var wallAtAnchor: Int64

    /// - Parameter wall: milliseconds since 1970; nil where it is right.
    init(at time: Int64, monotonic: Int64, drift: Int64, wall: Int64? = nil) {
        anchor = time
        self.monotonic = monotonic
        self.drift = drift
        wallAtAnchor = wall.map { $0 * 1_000_000 } ?? Self.trueWall(time)
    }

    private static func trueWall(_ time: Int64) -> Int64 { epoch * 1_000_000 + time }

    private func elapsed(_ time: Int64) -> Int64 {
        let elapsed = time - anchor
        return drift == 0 ? elapsed : elapsed + elapsed / 1_000_000 * drift + elapsed % 1_000_000 * drift / 1_000_000
    }

    func now(_ time: Int64) -> Instant { Instant(nanoseconds: monotonic + elapsed(time)) }

    func wall(_ time: Int64) -> WallTime { WallTime(milliseconds: (wallAtAnchor + elapsed(time)) / 1_000_000) }

    /// The true time at which the monotonic clock will have reached `instant`; `.max` for never.
    func time(of instant: Instant) -> Int64 {
        if instant == .never { return .max }
        let (wanted, overflow) = instant.nanoseconds.subtractingReportingOverflow(monotonic)
        if overflow { return instant.nanoseconds < 0 ? .min : .max }
        if wanted <= 0 { return anchor }
        let rate = 1_000_000 + drift
        let (whole, tooLong) = (wanted / rate).multipliedReportingOverflow(by: 1_000_000)
        if tooLong { return .max }
        let (sum, beyond) = anchor.addingReportingOverflow(whole + wanted % rate * 1_000_000 / rate)
        if beyond { return .max }
        // Rounding of both ways may leave it a few nanoseconds early.
        var time = sum
        while now(time) < instant { time += 1 }
        return time
    }

    /// Moves the wall, as a person or a time server does it.
    mutating func step(by nanoseconds: Int64) { wallAtAnchor += nanoseconds }

    mutating func setDrift(_ drift: Int64, at time: Int64) {
        let passed = elapsed(time)
        monotonic += passed
        wallAtAnchor += passed
        anchor = time
        self.drift = drift
    }

    /// The wall is right from now on and nothing drifts.
    mutating func correct(at time: Int64) {
        setDrift(0, at: time)
        wallAtAnchor = Self.trueWall(time)
    }

    mutating func correctWall(at time: Int64) { wallAtAnchor += Self.trueWall(time) - wallAtAnchor - elapsed(time) }
}
