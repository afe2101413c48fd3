/// A point on a monotonic clock that has no meaning outside its process.
///
/// Cores take it as an argument; the shell reads CLOCK_BOOTTIME, the simulator counts its own.
@frozen
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    public static let zero = Instant(nanoseconds: 0)
    /// Later than every other: "no deadline".
    public static let never = Instant(nanoseconds: .max)

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates instead of wrapping, so that a long lifetime means "never".
    public static func + (left: Self, right: Duration) -> Instant {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.wholeNanoseconds)
        return overflow ? .never : Instant(nanoseconds: sum)
    }

    /// Saturates at about 292 years, since one of them may come from a disk.
    public static func - (left: Self, right: Self) -> Duration {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return .nanoseconds(overflow ? (left < right ? .min : .max) : difference)
    }
}

extension Duration {
    /// Saturates at about 292 years.
    public var wholeNanoseconds: Int64 {
        let whole = attoseconds
        // Up to nine seconds fit a word, where dividing by a constant takes no division.
        let short = Int64(truncatingIfNeeded: whole)
        return Int128(short) == whole ? short / 1_000_000_000 : Int64(clamping: whole / 1_000_000_000)
    }

    public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}

/// Time of day as a person means it: milliseconds since 1970-01-01 UTC. Used for records and reports only;
/// nothing that must be right depends on it.
@frozen
public struct WallTime: Hashable, Comparable, Sendable {
    public var milliseconds: Int64
    @inlinable public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    @inlinable public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }
}
