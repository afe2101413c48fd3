/// Everything that may go wrong. Each can be switched off by itself.
public enum FaultKind: Int, CaseIterable, Hashable, Sendable {
    // The network. A rate is a number of times a minute in the whole world.
    /// A connection breaks and both ends notice.
    case connectionLoss
    /// A connection breaks; one end notices at once, the other late.
    case halfOpen
    /// A connection breaks and neither end is told.
    case silentLoss
    /// Bytes and dials pass a link in one direction only.
    case oneWayPartition
    /// A link is gone.
    case partition
    /// All links of a node are gone.
    case isolation
    /// A link has a hundredth of its bandwidth.
    case slowLink
    /// Bytes of one direction stop for a short while.
    case clog
    /// Many links clog one by one and are free again in another order.
    case swizzle
    // Probabilities of each dial and delivery.
    case dialRefused, dialTimedOut
    /// What was written at once arrives in two parts.
    case cutBytes

    // Processes and machines, times a minute.
    case kill
    /// The process ends inside one of its coming operations on the disk or the network.
    case killInside
    case pause
    /// The machine reboots and what was not synchronized is lost.
    case powerLoss
    case powerLossInside

    // Clocks.
    /// The wall clock moves, times a minute.
    case clockStep
    /// The probability that a machine's clocks drift.
    case clockDrift
    /// The probability that a machine knows no time of day when it boots.
    case noClock

    // The disk: probabilities of each operation.
    case writeFault, readFault, synchronizeFault
    /// A write lands elsewhere when it gets to the medium.
    case misdirectedWrite
    /// Probabilities of each power loss: what it does to writes and names that were not synchronized.
    case lostWrites, tornWrites, reorderedWrites, lostNames
    // Times a minute.
    case bitRot, diskFull, slowDisk, wiped, rolledBack

    /// No fault: somebody comes to a node and copies what it has stored, or brings what was copied elsewhere.
    case visit

    /// The probability of each end of a process: some of what it had not synchronized was still in its own hands.
    case gatheredWrites

    /// How the number beside a kind is meant.
    enum Measure { case timesAMinute, probability }

    var measure: Measure {
        switch self {
        case .connectionLoss, .halfOpen, .silentLoss, .oneWayPartition, .partition, .isolation, .slowLink, .clog,
            .swizzle, .kill, .killInside, .pause, .powerLoss, .powerLossInside, .clockStep, .bitRot, .diskFull,
            .slowDisk, .wiped, .rolledBack, .visit:
            .timesAMinute
        case .dialRefused, .dialTimedOut, .cutBytes, .clockDrift, .noClock, .writeFault, .readFault,
            .synchronizeFault, .misdirectedWrite, .lostWrites, .tornWrites, .reorderedWrites, .lostNames,
            .gatheredWrites:
            .probability
        }
    }

    /// True where it takes durable bytes away; the disk's damage log says which.
    public var destroysDurableData: Bool {
        switch self {
        case .bitRot, .misdirectedWrite, .wiped, .rolledBack: true
        default: false
        }
    }

    /// True where a process ends by it.
    public var endsProcesses: Bool {
        switch self {
        case .kill, .killInside, .powerLoss, .powerLossInside: true
        default: false
        }
    }

    public init?(_ description: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.description == description }) else { return nil }
        self = found
    }
}

/// How often each kind of fault happened.
public struct FaultCounts: Equatable, Sendable, CustomStringConvertible {
    private var counts = [Int](repeating: 0, count: FaultKind.allCases.count)

    public init() {}

    public internal(set) subscript(kind: FaultKind) -> Int {
        get { counts[kind.rawValue] }
        set { counts[kind.rawValue] = newValue }
    }

    public var total: Int { counts.reduce(0, +) }

    mutating func add(_ other: FaultCounts) {
        for kind in FaultKind.allCases { self[kind] += other[kind] }
    }

    public var description: String {
        FaultKind.allCases.filter { self[$0] > 0 }.map { "\($0) \(self[$0])" }.joined(separator: ", ")
    }
}
