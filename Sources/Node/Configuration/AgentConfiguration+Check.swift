import Envelope

extension AgentConfiguration {
    /// Notes what no single key of an agent's jobs and sinks tells.
    /// - Parameter reader: of the mapping that has the keys jobs and sinks.
    func check(_ reader: ConfigurationReader, of node: NodeName) {
        reader.reportRepeated("jobs", jobs.map(\.name)) { "is a job '\($0)' already; choose another name" }
        reader.reportRepeated("sinks", sinks.map(\.name)) { "is a sink '\($0)' already; choose another name" }
        for (index, job) in jobs.enumerated() where job.to == node {
            reader.report("a job to this node itself; write another node's name", atItem: index, of: "jobs", "to")
        }
        checkSinks(reader)
    }

    /// Each topic of each source has one sink.
    private func checkSinks(_ reader: ConfigurationReader) {
        for (index, sink) in sinks.enumerated() {
            for topic in sink.topics {
                let rival = sinks[..<index].first { other in
                    other.topics.contains(topic)
                        && other.from.contains { one in sink.from.contains { $0.overlaps(one) } }
                }
                guard let rival else { continue }
                let what = topic == SinkConfiguration.everyTopic ? "all topics" : "the topic '\(topic)'"
                reader.report(
                    "sink '\(rival.name)' takes \(what) from the same nodes; a topic goes to one sink",
                    atItem: index, of: "sinks", "topics")
            }
        }
    }
}
