import AgentCore
import Envelope
import Keyring

/// Why a run of a job ended early.
enum JobFailure: Error, CustomStringConvertible {
    case connector(ConnectorError)
    case envelope(EnvelopeError)
    case noKey(String)
    case seal(SealError)

    var description: String {
        switch self {
        case .connector(let error): error.description
        case .envelope(let error): error.description
        case .noKey(let peer):
            "no key to seal for \(peer); make a grant with relayctl key grant and reload"
        case .seal(let error): error.description
        }
    }

    /// The same in the words of the machines.
    var ofConnector: ConnectorFailure {
        switch self {
        case .connector(let error): ConnectorFailure(error)
        case .envelope, .seal: ConnectorFailure(.transient, description)
        case .noKey: ConnectorFailure(.configuration, description)
        }
    }

    static func ofSource<Value>(_ body: () throws(ConnectorError) -> Value) throws(JobFailure) -> Value {
        do throws(ConnectorError) { return try body() } catch { throw .connector(error) }
    }

    static func catching<Value>(_ body: () throws(EnvelopeError) -> Value) throws(JobFailure) -> Value {
        do throws(EnvelopeError) { return try body() } catch { throw .envelope(error) }
    }
}

extension ConnectorFailure {
    init(_ error: ConnectorError) {
        let kind: Kind =
            switch error.kind {
            case .transient: .transient
            case .configuration: .configuration
            case .rejected: .rejected
            }
        self.init(kind, error.description)
    }

    /// How a job or a sink is that waits because of it.
    var state: String { kind == .transient ? "retrying" : "misconfigured" }
}
