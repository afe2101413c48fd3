import Envelope

/// How many strangers may knock at once. Before its handshake is done, everybody is a stranger.
public struct AdmissionLimits: Equatable, Sendable {
    /// How long a handshake may take.
    public var handshakeTimeout: Duration
    /// Handshakes under way at a time, on one listener: each costs memory and, once, some milliseconds of CPU.
    public var handshakes: Int
    /// Handshakes under way from one IPv4 address or one IPv6 network (/64).
    public var handshakesPerSource: Int
    /// New connections per second in the long run…
    public var connectionsPerSecond: Double
    /// …and at once after a quiet time.
    public var burst: Int

    public init(
        handshakeTimeout: Duration = .seconds(5), handshakes: Int = 256, handshakesPerSource: Int = 8,
        connectionsPerSecond: Double = 200, burst: Int = 400
    ) {
        self.handshakeTimeout = handshakeTimeout
        self.handshakes = handshakes
        self.handshakesPerSource = handshakesPerSource
        self.connectionsPerSecond = connectionsPerSecond
        self.burst = burst
    }
}

/// Why a listener did not let a connection in.
public enum RefusalReason: Error, Equatable, Sendable, CustomStringConvertible {
    case tooManyHandshakes
    case tooManyFromSource
    case tooFast
    /// What the handshake came to, such as a time-out or a certificate of another authority.
    case failed(CloseReason)
    /// The listener's `accept` set no owner.
    case notTaken

    public var description: String {
        switch self {
        case .tooManyHandshakes: "too many handshakes are under way"
        case .tooManyFromSource: "too many handshakes are under way from this address"
        case .tooFast: "connections come too fast"
        case .failed(let reason): reason.description
        case .notTaken: "nobody here wants it"
        }
    }
}

/// The counting behind ``AdmissionLimits``; pure, told the time.
struct Admission {
    let limits: AdmissionLimits
    private(set) var underWay = 0
    private var underWayBySource: [[UInt8]: Int] = [:]
    private var tokens: Double
    private var filled: Instant

    init(_ limits: AdmissionLimits, at now: Instant) {
        self.limits = limits
        tokens = Double(limits.burst)
        filled = now
    }

    /// Counts a handshake in, or says why not. What was counted in must be counted out by ``ended(source:)``.
    mutating func begin(source: [UInt8], at now: Instant) -> RefusalReason? {
        let passed = Double(max(0, (now - filled).wholeNanoseconds)) / 1e9
        tokens = min(Double(limits.burst), tokens + passed * limits.connectionsPerSecond)
        filled = now
        guard tokens >= 1 else { return .tooFast }
        guard underWay < limits.handshakes else { return .tooManyHandshakes }
        guard underWayBySource[source, default: 0] < limits.handshakesPerSource else { return .tooManyFromSource }
        tokens -= 1
        underWay += 1
        underWayBySource[source, default: 0] += 1
        return nil
    }

    mutating func ended(source: [UInt8]) {
        underWay -= 1
        let left = underWayBySource[source, default: 1] - 1
        underWayBySource[source] = left > 0 ? left : nil
    }
}
