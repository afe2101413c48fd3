import Envelope

/// How an envelope gets nearer to a destination.
public enum Route: Equatable, Sendable {
    /// This node is the destination.
    case local
    /// Nodes with a link to hand it to, best first; never empty, at most 1 + ``Limits/alternates``. Each of them is
    /// nearer to the destination than this node, so that no order of trying them sends an envelope in a circle.
    case nextHops([NodeID])
    /// Known, but there is no way now.
    case unreachable
    /// Not heard of, or not for ``Limits/advertisementKeep``.
    case unknown
}
