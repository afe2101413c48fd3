import Envelope

/// What the mesh knows of ids that envelopes carry.
public protocol NodeDirectory {
    /// Rises whenever an answer of this directory may have become another one.
    var directoryVersion: UInt64 { get }
    /// nil where no relay has told of such a node within ``Limits/advertisementKeep``.
    func nodeName(of id: NodeID) -> NodeName?
    /// True where some relay lists `node` as offering the service of that id.
    func offers(_ service: NodeID, by node: NodeID) -> Bool
    /// True for this node, its relay neighbours and every relay that has advertised itself.
    func isRelay(_ id: NodeID) -> Bool
}

extension NodeDirectory {
    /// A directory that cannot tell says no: what depends on it is denied.
    public func isRelay(_ id: NodeID) -> Bool { false }
}

/// Names and offers as of the last change.
struct Directory: Equatable, Sendable {
    struct Offer: Hashable, Sendable {
        var service: NodeID
        var provider: NodeID
    }

    var names: [NodeID: NodeName] = [:]
    var relays: Set<NodeID> = []
    var offers: Set<Offer> = []
}
