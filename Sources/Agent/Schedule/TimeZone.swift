import Envelope
import Glibc

/// How far local time is ahead of UTC, as a function of the moment.
public struct TimeZone: Sendable {
    /// Seconds east of UTC at a moment.
    public let secondsEast: @Sendable (WallTime) -> Int

    public init(secondsEast: @escaping @Sendable (WallTime) -> Int) {
        self.secondsEast = secondsEast
    }

    public static let utc = TimeZone { _ in 0 }

    /// The zone the machine is set to (`TZ`, else /etc/localtime), as the C library knows it.
    public static let local = TimeZone { moment in
        var seconds = time_t(CivilTime.floorDivide(Int(moment.milliseconds), 1_000))
        var fields = tm()
        return localtime_r(&seconds, &fields) == nil ? 0 : fields.tm_gmtoff
    }
}
