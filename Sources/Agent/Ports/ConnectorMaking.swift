import Node

/// What the agent needs of the edge that knows the connectors. The program hands one in, so that no role depends on
/// a database driver.
public protocol ConnectorMaking: Sendable {
    typealias SourceFactory = @Sendable () throws(ConnectorError) -> any Source
    typealias SinkFactory = @Sendable () throws(ConnectorError) -> any Sink

    /// Checks the configuration now; the factory builds on the thread that will use the source.
    func makeSource(_ job: JobConfiguration) throws(ConfigurationError) -> SourceFactory
    func makeSink(_ sink: SinkConfiguration) throws(ConfigurationError) -> SinkFactory
}
