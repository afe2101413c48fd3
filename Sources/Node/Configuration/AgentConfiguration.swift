import Envelope

/// What an agent has beyond what all nodes have.
public struct AgentConfiguration: Hashable, Sendable {
    /// Path of the key file; nil where the agent gets its keys another way.
    public var keys: String?
    public var jobs: [JobConfiguration]
    public var sinks: [SinkConfiguration]

    /// The sink for a topic from a node: one that names the topic goes before one that takes all (`*`).
    public func sink(for topic: String, from source: NodeName) -> SinkConfiguration? {
        sinks.first { $0.topics.contains(topic) && $0.takes(from: source) }
            ?? sinks.first { $0.topics.contains(SinkConfiguration.everyTopic) && $0.takes(from: source) }
    }
}

/// One thing that is collected again and again, and where it goes.
public struct JobConfiguration: Hashable, Sendable {
    public var name: String
    /// The name the data travels under; sinks choose by it.
    public var topic: String
    public var to: NodeName
    public var lane: Lane
    public var schedule: ScheduleConfiguration
    public var compression: Compression
    /// Bytes a batch is filled to.
    public var batchBytes: Int
    /// How long a batch that is not full waits for more.
    public var linger: Duration
    /// nil: the node's lifetime.
    public var lifetime: Duration?
    /// After an outage what is fresh goes before what has waited, and the job's records come out of their order.
    public var freshFirst: Bool
    /// Bytes that may wait in the outbox for their way before the source is left to wait; nil where the file says nothing.
    var readAhead: Int?
    /// What the connector reads; its `kind` is one of ``sourceKinds``.
    public var source: YAMLNode
    /// The key path of ``source`` for messages, such as `jobs[0].source`.
    public var sourcePath: String

    public static let sourceKinds = ["files", "sql", "synthetic"]
    /// Bytes; small enough that a batch is soon on its way, large enough that sealing it costs little a record.
    public static let defaultBatchBytes = 256 << 10
    /// Bytes of all jobs together: more than a link has under way, and little enough to stay in memory.
    static let defaultReadAhead = 24 << 20
    /// Bytes of one of many jobs.
    static let leastReadAhead = 1 << 20

    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.topic == right.topic && left.to == right.to && left.lane == right.lane
            && left.schedule == right.schedule && left.compression == right.compression
            && left.batchBytes == right.batchBytes && left.linger == right.linger && left.lifetime == right.lifetime
            && left.freshFirst == right.freshFirst && left.readAhead == right.readAhead && left.source == right.source
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(source)
    }
}

/// When a job runs, as the file says it.
public struct ScheduleConfiguration: Hashable, Sendable {
    public enum Rule: Hashable, Sendable {
        case every(Duration)
        /// The text of a cron expression, not yet checked.
        case cron(String)
        case onChange
    }

    public var rule: Rule
    /// Where the rule stands, for whoever checks the cron expression.
    public var mark: YAMLMark
    /// The key path of the rule, such as `jobs[0].schedule.cron`.
    public var path: String

    public static func == (left: Self, right: Self) -> Bool { left.rule == right.rule }
    public func hash(into hasher: inout Hasher) { hasher.combine(rule) }

    /// An error at the rule's place, for a cron expression that is wrong.
    public func error(_ text: String) -> ConfigurationError {
        ConfigurationError([ConfigurationProblem(mark: mark, path: path, text: text)])
    }
}

/// Where data that arrives goes.
public struct SinkConfiguration: Hashable, Sendable {
    public var name: String
    /// Names of topics; ``everyTopic`` for all that no other sink names.
    public var topics: [String]
    /// Whose data; all where the file has none.
    public var from: [NodePattern]
    /// What becomes of a batch that the sink can never take.
    public var onReject: Rejection
    /// What the connector writes; its `kind` is one of ``sinkKinds``.
    public var sink: YAMLNode
    /// The key path of ``sink`` for messages, such as `sinks[0].sink`.
    public var sinkPath: String

    /// What becomes of a batch that the sink can never take, such as a value that does not fit its column.
    public enum Rejection: String, CaseIterable, Sendable, CustomStringConvertible {
        /// Its stream waits and is tried again, so that nothing is lost; other streams go on.
        case block
        /// Its envelope is kept in the quarantine, still sealed, and the stream goes on behind it.
        case quarantine

        public var description: String { rawValue }
    }

    public static let sinkKinds = ["files", "sql", "mailbox", "discard"]
    public static let everyTopic = "*"

    public func takes(from source: NodeName) -> Bool { from.contains { $0.matches(source) } }

    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.topics == right.topics && left.from == right.from
            && left.onReject == right.onReject && left.sink == right.sink
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(sink)
    }
}
