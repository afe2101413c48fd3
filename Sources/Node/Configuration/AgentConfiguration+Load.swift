import Envelope

extension AgentConfiguration {
    /// Keys that mean something to an agent only.
    private static let keys = ["keys", "jobs", "sinks"]

    /// nil for a relay, where these keys are problems.
    init?(_ reader: ConfigurationReader, role: NodeConfiguration.Role) {
        if role == .relay {
            for key in Self.keys where reader.verbatim(key) != nil {
                reader.report("only an agent has \(key); leave it out, or write role: agent", at: key)
            }
            return nil
        }
        keys = reader.optional("keys", .path)
        jobs = reader.list("jobs", JobConfiguration.init)
        sinks = reader.list("sinks", SinkConfiguration.init)
    }
}

extension AgentConfiguration {
    /// Bytes of each job, by its name, that may wait in the outbox for their way before its source is left to wait; without
    /// an entry whatever the outbox takes. What is fresh cannot overtake what its own source holds back, so jobs with
    /// `freshFirst` have none of their own accord.
    public var readAhead: [String: Int] {
        let share = max(JobConfiguration.leastReadAhead, JobConfiguration.defaultReadAhead / max(1, jobs.count))
        var bytes: [String: Int] = [:]
        for job in jobs { bytes[job.name] = job.readAhead ?? (job.freshFirst ? nil : share) }
        return bytes
    }
}

extension JobConfiguration {
    init(_ reader: ConfigurationReader) {
        name = reader.required("name", .label)
        topic = reader.value("topic", .label(length: Limits.topicBytes), default: name)
        to = reader.required("to", .nodeName)
        lane = reader.value("lane", .word(), default: .live)
        schedule =
            reader.nestedIfPresent("schedule", ScheduleConfiguration.init)
            ?? ScheduleConfiguration(rule: .every(.seconds(5)), mark: reader.node.mark, path: reader.path)
        compression = reader.value("compression", .word(), default: .zstd)
        batchBytes = reader.value(
            "batchBytes", .byteSize(in: 1...Limits.batchBytes), default: Self.defaultBatchBytes)
        linger = reader.value("linger", .duration(in: .zero ... .seconds(60)), default: .milliseconds(5))
        lifetime = reader.optional("lifetime", .lifetime)
        freshFirst = reader.value("freshFirst", .boolean, default: false)
        readAhead = reader.optional("readAhead", .byteSize(in: 1...(1 << 50)))
        source = reader.kindred("source", kinds: Self.sourceKinds)
        sourcePath = reader.path(of: "source")
        if lane == .control { reader.report("'control' is for the mesh itself; write live or bulk", at: "lane") }
        if freshFirst, lane == .bulk {
            reader.report("nothing in bulk is fresh: write lane: live, or leave freshFirst out", at: "freshFirst")
        }
    }
}

extension ScheduleConfiguration {
    init(_ reader: ConfigurationReader) {
        let every = reader.optional("every", .duration(in: .milliseconds(10) ... .seconds(366 * 86_400)))
        let cron = reader.optional("cron", .string)
        let onChange = reader.optional("onChange", .boolean)
        let written = ["every", "cron", "onChange"].filter { reader.verbatim($0) != nil }
        if written.count != 1 {
            reader.report("write exactly one of every: 5s, cron: \"*/5 * * * *\", onChange: true")
        }
        if onChange == false { reader.report("write onChange: true, or every or cron in its place", at: "onChange") }
        rule = every.map { .every($0) } ?? cron.map { .cron($0) } ?? .onChange
        mark = written.first.flatMap { reader.node[$0]?.mark } ?? reader.node.mark
        path = written.first.map { reader.path(of: $0) } ?? reader.path
    }
}

extension SinkConfiguration {
    init(_ reader: ConfigurationReader) {
        name = reader.required("name", .label)
        topics = reader.list("topics", of: .topicOrAll)
        from = reader.verbatim("from") == nil ? [.everyone] : reader.list("from", of: .nodePattern)
        onReject = reader.value("onReject", .word(), default: .block)
        sink = reader.kindred("sink", kinds: Self.sinkKinds)
        sinkPath = reader.path(of: "sink")
        if reader.isEmptyList("topics") {
            reader.report("names no topic; write a list of topics, or ['*'] for all", at: "topics")
        }
        if reader.node["from"] != nil, reader.isEmptyList("from") {
            reader.report("names no node; write a list such as [plant-a/*], or leave it out for all", at: "from")
        }
    }
}

extension ConfigurationFormat where Value == String {
    static var topicOrAll: Self {
        let label = Self.label(length: Limits.topicBytes)
        return Self(provisional: "") { text, mark throws(Mismatch) in
            text == SinkConfiguration.everyTopic ? text : try label.parse(text, mark)
        }
    }
}
