import Agent
import Node

/// The connectors of this module, as an agent asks for them.
public struct RegisteredConnectors: ConnectorMaking {
    public init() {}

    public func makeSource(_ job: JobConfiguration) throws(ConfigurationError) -> ConnectorMaking.SourceFactory {
        try ConnectorRegistry.makeSource(from: job.source, path: job.sourcePath, topic: job.topic)
    }

    public func makeSink(_ sink: SinkConfiguration) throws(ConfigurationError) -> ConnectorMaking.SinkFactory {
        try ConnectorRegistry.makeSink(from: sink.sink, path: sink.sinkPath)
    }
}
