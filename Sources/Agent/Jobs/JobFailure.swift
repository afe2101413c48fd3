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

    var state: String {
        switch self {
        case .connector(let error): error.kind == .transient ? "retrying" : "misconfigured"
        case .envelope, .seal: "retrying"
        case .noKey: "misconfigured"
        }
    }

    static func catching<Value>(_ body: () throws(EnvelopeError) -> Value) throws(JobFailure) -> Value {
        do throws(EnvelopeError) { return try body() } catch { throw .envelope(error) }
    }
}
