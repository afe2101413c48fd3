import Envelope
import Glibc
import Platform

/// What the system says of this process.
public enum ProcessFigures {
    /// Resident memory in bytes; 0 where the system does not tell.
    public static var residentBytes: UInt64 {
        guard let bytes = try? Files.read("/proc/self/statm", limit: 4096) else { return 0 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}

/// When this process began, for reports.
public struct Birth: Sendable {
    public let wall = Clock.wall
    public let instant = Clock.now
    public init() {}

    public func uptimeSeconds(at now: Instant) -> Int { Int((now - instant).components.seconds) }
}
