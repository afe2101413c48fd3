import Envelope

/// Why a link-state message of a peer was not taken. Nothing of such a message has had any effect.
public enum LinkStateError: Error, Equatable, CustomStringConvertible {
    case truncated(String)
    case trailingBytes(Int)
    case version(UInt8)
    case unknownMessage(UInt8)
    case tooMuch(String, UInt64, limit: UInt64)
    case illegal(String, UInt64)
    case notCanonical(String)
    case badText(String)
    case badName(NameError)
    case outOfOrder(String)
    case notARelay(NodeName)

    public var description: String {
        let problem =
            switch self {
            case .truncated(let field): "it ends within \(field)"
            case .trailingBytes(let count): "\(count) bytes follow its end"
            case .version(let number):
                "it has format version \(number), this relay reads \(LinkStateMessage.version); run the same release on both"
            case .unknownMessage(let type): "its type \(type) is not known"
            case .tooMuch(let field, let value, let limit): "\(field) is \(value), the limit is \(limit)"
            case .illegal(let field, let value): "\(field) may not be \(value)"
            case .notCanonical(let field): "\(field) is not written in its shortest form"
            case .badText(let field): "\(field) holds more than printable ASCII"
            case .badName(let error): "\(error)"
            case .outOfOrder(let field): "\(field) do not rise, or come twice"
            case .notARelay(let peer): "\(peer) has no link as a relay; only relays exchange link state"
            }
        return "link-state message refused: \(problem)"
    }
}
