import Envelope
import Glibc

extension Clocks {
    static let system = Clocks(
        wall: { WallTime(milliseconds: nanoseconds(CLOCK_REALTIME) / 1_000_000) },
        monotonic: { Instant(nanoseconds: nanoseconds(CLOCK_MONOTONIC)) })

    static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
