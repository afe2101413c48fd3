import Envelope

/// Which nodes one side of a flow means.
public enum FlowPattern: Hashable, Sendable, CustomStringConvertible {
    /// `*`: every address, also one that is not known here.
    case everything
    /// `plant-a/*`: the nodes of a zone. Matches only nodes whose name this relay has heard, since envelopes carry ids.
    case zone(ZoneName)
    /// `plant-a/press`: one node, known or not.
    case node(NodeName)
    /// `manager`: an anycast name.
    case service(ServiceName)

    /// Reads the form a configuration uses.
    /// - Throws: ``FlowError/pattern(_:)``.
    public init(_ text: some StringProtocol) throws(FlowError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        do {
            switch (parts.count, parts.last) {
            case (1, "*"): self = .everything
            case (1, _): self = .service(try ServiceName(text))
            case (2, "*"): self = .zone(try ZoneName(parts[0]))
            default: self = .node(try NodeName(text))
            }
        } catch {
            throw .pattern(String(text.prefix(200)))
        }
    }

    public var description: String {
        switch self {
        case .everything: "*"
        case .zone(let zone): "\(zone)/*"
        case .node(let node): "\(node)"
        case .service(let service): "\(service)"
        }
    }
}
