import Envelope

/// A link of this node, up or not, with what the shell told of it.
struct Adjacency: Equatable, Sendable {
    let name: NodeName
    let id: NodeID
    var kind: NodeKind
    /// At least 1, so that every hop brings an envelope nearer and no path can be a circle.
    var cost: UInt16
    var dialledByUs: Bool
    var isUp: Bool
    var changedAt: Instant
    var statistics = Advertisement.Statistics()
}
