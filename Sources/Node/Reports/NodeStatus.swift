import Envelope

/// What a node says of itself: the answer to `GET /v1/status`.
public struct NodeStatus: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    public var schema: Int
    /// `zone/name`.
    public var node: String
    /// `relay`, `agent`, `manager` or `monitor`.
    public var role: String
    public var version: String
    public var pid: Int32
    public var started: WallTime
    public var uptimeSeconds: Int
    public var asOf: WallTime
    public var links: [LinkReport]
    public var counters: CounterReport
    public var store: StoreReport
    public var memory: MemoryReport
    /// Threads that carry links; 1 where the one that routes does it too. nil from a node that does not tell.
    public var reactors: Int?
    /// What comes into the node's care lately; nil where nothing is known yet.
    public var bytesInPerSecond: Double?
    /// What lies in the node's quarantine now; nil from a node that has none.
    public var quarantine: QuarantineSummary?
    /// Collecting jobs; empty on a relay.
    public var jobs: [JobReport]
    /// Sinks delivered to; empty on a relay.
    public var sinks: [SinkReport]
    /// nil where the configuration was never reloaded since the start.
    public var lastReload: ReloadReport?

    public init(
        node: String, role: String, version: String, pid: Int32, started: WallTime, uptimeSeconds: Int,
        asOf: WallTime, links: [LinkReport] = [], counters: CounterReport = CounterReport(),
        store: StoreReport = StoreReport(), memory: MemoryReport = MemoryReport(), reactors: Int? = nil,
        bytesInPerSecond: Double? = nil,
        quarantine: QuarantineSummary? = nil,
        jobs: [JobReport] = [],
        sinks: [SinkReport] = [], lastReload: ReloadReport? = nil
    ) {
        schema = Self.schema
        self.node = node
        self.role = role
        self.version = version
        self.pid = pid
        self.started = started
        self.uptimeSeconds = uptimeSeconds
        self.asOf = asOf
        self.links = links
        self.counters = counters
        self.store = store
        self.memory = memory
        self.reactors = reactors
        self.bytesInPerSecond = bytesInPerSecond
        self.quarantine = quarantine
        self.jobs = jobs
        self.sinks = sinks
        self.lastReload = lastReload
    }
}

/// Envelopes since the process started. Always: accepted = delivered + queued + in flight + all dropped.
public struct CounterReport: Codable, Equatable, Sendable {
    /// Taken into this node's care: from links, and on an agent from its own sources.
    public var accepted: UInt64
    /// Care handed over: custody taken by the next hop, or finished at the destination.
    public var delivered: UInt64
    /// Waiting here, in memory or in the store.
    public var queued: UInt64
    /// Sent on a link and not yet taken into custody there.
    public var inFlight: UInt64
    /// By reason, such as `expired`.
    public var dropped: [String: UInt64]
    /// Seen before at the destination, so without effect.
    public var duplicates: UInt64
    /// Failed a check after arrival; kept aside, without effect.
    public var quarantined: UInt64
    /// Turned away before they were accepted.
    public var refused: UInt64
    /// Given back to the neighbour they came from, before custody, and so no longer among the accepted. nil from a node
    /// that does not tell.
    public var returned: UInt64?

    public init(
        accepted: UInt64 = 0, delivered: UInt64 = 0, queued: UInt64 = 0, inFlight: UInt64 = 0,
        dropped: [String: UInt64] = [:], duplicates: UInt64 = 0, quarantined: UInt64 = 0, refused: UInt64 = 0,
        returned: UInt64? = nil
    ) {
        self.accepted = accepted
        self.delivered = delivered
        self.queued = queued
        self.inFlight = inFlight
        self.dropped = dropped
        self.duplicates = duplicates
        self.quarantined = quarantined
        self.refused = refused
        self.returned = returned
    }

    /// Whether the sum that must hold does hold.
    public var isBalanced: Bool {
        dropped.values.reduce(delivered &+ queued &+ inFlight, &+) == accepted
    }
}

/// The journal of a node.
public struct StoreReport: Codable, Equatable, Sendable {
    public var bytes: UInt64
    public var envelopes: UInt64
    /// Bytes past which the node refuses to accept more.
    public var limitBytes: UInt64
    /// Until it is full if it goes on growing as it did lately; nil where it does not grow.
    public var secondsToFull: Double?

    public init(bytes: UInt64 = 0, envelopes: UInt64 = 0, limitBytes: UInt64 = 0, secondsToFull: Double? = nil) {
        self.bytes = bytes
        self.envelopes = envelopes
        self.limitBytes = limitBytes
        self.secondsToFull = secondsToFull
    }
}

/// The memory of a node's process.
public struct MemoryReport: Codable, Equatable, Sendable {
    public var residentBytes: UInt64
    /// Bytes of envelopes held in memory.
    public var heldBytes: UInt64
    /// Bytes of envelopes that may be held before they go to the store.
    public var budgetBytes: UInt64

    public init(residentBytes: UInt64 = 0, heldBytes: UInt64 = 0, budgetBytes: UInt64 = 0) {
        self.residentBytes = residentBytes
        self.heldBytes = heldBytes
        self.budgetBytes = budgetBytes
    }
}

/// One collecting job of an agent.
public struct JobReport: Codable, Equatable, Sendable {
    public var name: String
    /// One word, such as `running`, `idle`, `retrying`, `misconfigured` or `stopped`.
    public var state: String
    public var lastRun: WallTime?
    public var records: UInt64
    public var envelopes: UInt64
    /// Envelopes sent whose receipt has not come yet.
    public var unreceipted: UInt64
    public var lastError: String?

    public init(
        name: String, state: String, lastRun: WallTime? = nil, records: UInt64 = 0, envelopes: UInt64 = 0,
        unreceipted: UInt64 = 0, lastError: String? = nil
    ) {
        self.name = name
        self.state = state
        self.lastRun = lastRun
        self.records = records
        self.envelopes = envelopes
        self.unreceipted = unreceipted
        self.lastError = lastError
    }
}

/// One sink of an agent.
public struct SinkReport: Codable, Equatable, Sendable {
    public var name: String
    /// One word, such as `running`, `idle`, `retrying`, `misconfigured` or `stopped`.
    public var state: String
    public var records: UInt64
    public var lastError: String?

    public init(name: String, state: String, records: UInt64 = 0, lastError: String? = nil) {
        self.name = name
        self.state = state
        self.records = records
        self.lastError = lastError
    }
}

/// What came of the last reload of the configuration.
public struct ReloadReport: Codable, Equatable, Sendable {
    public var at: WallTime
    /// False: the old configuration is still in force.
    public var ok: Bool
    public var error: String?

    public init(at: WallTime, ok: Bool, error: String? = nil) {
        self.at = at
        self.ok = ok
        self.error = error
    }
}
