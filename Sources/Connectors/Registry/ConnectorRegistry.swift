import Agent
import Node

/// Makes sources and sinks out of what a configuration says.
///
/// The configuration is read and checked at once; what comes back builds the connector, on the thread that will use
/// it, and may be called again to build a fresh one.
public enum ConnectorRegistry {
    public typealias SourceFactory = @Sendable () throws(ConnectorError) -> any Source
    public typealias SinkFactory = @Sendable () throws(ConnectorError) -> any Sink

    /// - Parameters:
    ///   - node: a mapping with a `kind`.
    ///   - path: the mapping's key path for messages, such as `jobs[0].source`.
    /// - Throws: ``Node/ConfigurationError`` with everything that is wrong.
    public static func makeSource(
        from node: YAMLNode, path: String = "source", topic: String
    ) throws(ConfigurationError) -> SourceFactory {
        let reader = ConfigurationReader(node, path: path)
        switch reader.required("kind", .string) {
        case "files": return try filesSource(reader)
        case "sql": return try sqlSource(reader)
        case "synthetic": return try syntheticSource(reader)
        case let kind: throw unknown(kind, reader, known: ["files", "sql", "synthetic"])
        }
    }

    /// Parameters and errors as of ``makeSource(from:path:topic:)``.
    public static func makeSink(
        from node: YAMLNode, path: String = "sink"
    ) throws(ConfigurationError) -> SinkFactory {
        let reader = ConfigurationReader(node, path: path)
        switch reader.required("kind", .string) {
        case "files": return try filesSink(reader)
        case "sql": return try sqlSink(reader)
        case "discard": return try discardSink(reader)
        case let kind: throw unknown(kind, reader, known: ["files", "sql", "discard"])
        }
    }

    private static func unknown(_ kind: String, _ reader: ConfigurationReader, known: [String]) -> ConfigurationError {
        let text = "'\(kind.prefix(40))' is not a kind of connector; write one of \(known.joined(separator: ", "))"
        return ConfigurationError([ConfigurationProblem(mark: reader.node.mark, path: "kind", text: text)])
    }

    private static func syntheticSource(_ reader: ConfigurationReader) throws(ConfigurationError) -> SourceFactory {
        let smallest = SyntheticRecord.stampBytes
        let settings = SyntheticSettings(
            recordBytes: reader.value(
                "recordBytes", .byteSize(in: smallest...SyntheticRecord.longest), default: 128),
            rate: reader.optional("rate", .integer(in: 1...1_000_000_000)),
            count: reader.optional("count", .integer(in: 1...Int.max)).map(UInt64.init))
        try reader.finish()
        return { () throws(ConnectorError) in SyntheticSource(settings) }
    }

    private static func discardSink(_ reader: ConfigurationReader) throws(ConfigurationError) -> SinkFactory {
        let settings = DiscardSettings(
            statistics: reader.optional("statistics", .path),
            expected: reader.optional("expected", .integer(in: 1...Int.max)).map(UInt64.init))
        try reader.finish()
        return { () throws(ConnectorError) in DiscardSink(settings) }
    }
}
