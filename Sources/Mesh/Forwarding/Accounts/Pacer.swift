import Envelope

/// Lets bytes pass at a rate, as a machine without a clock: the generic cell rate algorithm (ITU-T I.371). What passes
/// moves on the time at which the next may pass; time that nobody used is kept up to ``burst``.
struct Pacer: Equatable, Sendable {
    static let burst: Duration = .milliseconds(100)
    /// Whoever has to wait waits so long at least: a wake-up for each small envelope would cost more than it sends.
    static let shortestWait: Duration = .milliseconds(10)

    /// At least 1.
    let bytesPerSecond: UInt64
    private var freeAt = Instant.zero

    init(bytesPerSecond: UInt64) { self.bytesPerSecond = max(1, bytesPerSecond) }

    /// When the next may pass; nil for now.
    func wait(at now: Instant) -> Instant? {
        freeAt <= now ? nil : max(freeAt, now + Self.shortestWait)
    }

    /// - Precondition: at most ``Limits/bodyBytes`` and a header, so that the product fits.
    mutating func pass(_ bytes: Int, at now: Instant) {
        let time = UInt64(bytes) * 1_000_000_000 / bytesPerSecond
        freeAt =
            max(freeAt, Instant(nanoseconds: now.nanoseconds - Self.burst.wholeNanoseconds)) + .nanoseconds(Int64(time))
    }
}
