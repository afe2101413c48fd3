import CUV
import Envelope
import Glibc

/// The clocks of this machine. Only shells read them; cores are told the time.
public enum Clock {
    /// Monotonic time that also counts while the machine sleeps (CLOCK_BOOTTIME).
    public static var now: Instant {
        Instant(nanoseconds: nanoseconds(of: CLOCK_BOOTTIME))
    }

    /// The time of day as this machine believes it to be; it may jump either way.
    public static var wall: WallTime {
        WallTime(milliseconds: nanoseconds(of: CLOCK_REALTIME) / 1_000_000)
    }

    /// The kernel's name for this boot of the machine; two equal values mean that an ``Envelope/Instant`` kept on
    /// disk still has its meaning. Empty where the kernel does not tell.
    public static let bootID: String = readBootID()

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    private static func readBootID() -> String {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let text = [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        return String(decoding: text.prefix { $0 > UInt8(ascii: " ") }, as: UTF8.self)
    }
}
