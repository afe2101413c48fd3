import Envelope

/// Every probability and magnitude of a run. Each seed has its own, and in each a good share of the fault kinds is
/// off: what one fault hides, a run without it shows.
public struct Dials: Equatable, Sendable {
    private var rates = [Double](repeating: 0, count: FaultKind.allCases.count)

    /// Time that a byte needs for a link; each direction of each link draws its own.
    public var delay: ClosedRange<Duration> = .microseconds(200)...(.milliseconds(2))
    /// Up to so much is added to the delay of each delivery.
    public var jitter: Duration = .microseconds(50)
    /// Bytes a second that one connection carries.
    public var bandwidth: ClosedRange<Int> = 100_000_000...100_000_000
    /// Bytes of one direction of a connection that may be under way.
    public var windowBytes = 1 << 20
    /// Until a dial without an answer counts as failed.
    public var dialTimeout: Duration = .seconds(10)
    public var partitionTime: ClosedRange<Duration> = .seconds(1)...(.seconds(30))
    public var clogTime: ClosedRange<Duration> = .milliseconds(100)...(.seconds(5))
    public var slowLinkTime: ClosedRange<Duration> = .seconds(1)...(.seconds(30))
    /// Until the late end of a half-open connection notices.
    public var lateNotice: ClosedRange<Duration> = .seconds(5)...(.seconds(120))
    public var pauseTime: ClosedRange<Duration> = .seconds(1)...(.seconds(20))
    /// The share of pauses that last for up to hours instead.
    public var longPauses = 0.0
    public var longPauseTime: ClosedRange<Duration> = .seconds(600)...(.seconds(7200))
    /// From the end of a process to its next start.
    public var restartTime: ClosedRange<Duration> = .milliseconds(100)...(.seconds(5))
    /// From a power loss to the boot.
    public var bootTime: ClosedRange<Duration> = .seconds(2)...(.seconds(60))
    /// A step of the wall clock goes so far either way.
    public var clockStep: Duration = .seconds(3600)
    /// Parts per million, either way.
    public var drift = 200
    /// Until a machine that booted without a time of day gets it.
    public var clockArrival: ClosedRange<Duration> = .seconds(1)...(.seconds(120))
    /// What a disk takes for each operation, for each MiB, and for each synchronize.
    public var diskLatency: Duration = .microseconds(5)
    public var diskTimePerMebibyte: Duration = .milliseconds(1)
    public var synchronizeLatency: Duration = .microseconds(200)
    /// By so much a slow disk is slower.
    public var slowDiskFactor = 100
    public var slowDiskTime: ClosedRange<Duration> = .seconds(1)...(.seconds(30))
    /// Bytes a disk has room for.
    public var diskBytes = 1 << 30
    /// Bytes left on a disk that is said to be full.
    public var fullDiskBytes: ClosedRange<Int> = 0...(64 << 10)
    public var fullDiskTime: ClosedRange<Duration> = .seconds(1)...(.seconds(60))
    /// How long faults go on.
    public var safetyTime: Duration = .seconds(60)
    /// How long the healed world may take to settle.
    public var drainTime: Duration = .seconds(3600)

    /// A world without a fault.
    public static let quiet = Dials()

    private init() {}

    /// The rate or probability of a kind; 0 where it is off.
    public subscript(kind: FaultKind) -> Double {
        get { rates[kind.rawValue] }
        set { rates[kind.rawValue] = newValue }
    }

    public mutating func switchOff(_ kind: FaultKind) { self[kind] = 0 }
}

extension Dials: CustomStringConvertible {
    /// One line a dial.
    public var description: String {
        let faults = FaultKind.allCases.map { kind in
            let rate = self[kind]
            return "\(kind): " + (rate == 0 ? "off" : kind.measure == .probability ? "\(rate)" : "\(rate) a minute")
        }
        return (faults + magnitudes).joined(separator: "\n")
    }

    private var magnitudes: [String] {
        [
            "delay: \(delay)", "jitter: \(jitter)", "bandwidth: \(bandwidth) bytes a second",
            "window: \(windowBytes) bytes", "dial-timeout: \(dialTimeout)", "partition-time: \(partitionTime)",
            "clog-time: \(clogTime)", "slow-link-time: \(slowLinkTime)", "late-notice: \(lateNotice)",
            "pause-time: \(pauseTime)", "long-pauses: \(longPauses)", "long-pause-time: \(longPauseTime)",
            "restart-time: \(restartTime)", "boot-time: \(bootTime)", "clock-step-by: \(clockStep)",
            "drift: \(drift) ppm", "clock-arrival: \(clockArrival)", "disk-latency: \(diskLatency)",
            "disk-time: \(diskTimePerMebibyte) a MiB", "synchronize-latency: \(synchronizeLatency)",
            "slow-disk-factor: \(slowDiskFactor)", "slow-disk-time: \(slowDiskTime)", "disk-bytes: \(diskBytes)",
            "full-disk-bytes: \(fullDiskBytes)", "full-disk-time: \(fullDiskTime)", "safety-time: \(safetyTime)",
            "drain-time: \(drainTime)",
        ]
    }
}
