import Envelope

/// Where a ``Router`` puts its effects, in the order they are to happen.
public protocol RouterSink {
    /// Sends a link-state message to a relay that has a link. A message that is lost is made good by a digest.
    mutating func send(_ message: [UInt8], to peer: NodeName)
    /// Some destination's ``Route``, or an answer of the ``NodeDirectory``, is another now: take copies anew and try
    /// again what is parked.
    mutating func routesChanged()
    /// Something that a person should know of; nothing waits for it.
    mutating func alarm(_ alarm: RouterAlarm)
}

/// What a router noticed that is not in order.
public enum RouterAlarm: Hashable, Sendable, CustomStringConvertible {
    /// Two genuine advertisements with the same number say different things.
    case equivocation(origin: NodeName, stamp: Advertisement.Stamp, from: NodeName)
    /// An advertisement that its origin did not make, or whose certificate is not one of this mesh.
    case badSignature(origin: NodeName, from: NodeName)
    /// The mesh knows a later advertisement of this very node. `boot` is what to store as this node's boot number.
    case ownHigherAdvertisement(heard: Advertisement.Stamp, boot: UInt64, from: NodeName)
    /// More relays than ``Limits/meshRelays``.
    case tooManyRelays(refused: NodeName)
    /// More links than ``Limits/advertisedLinks``.
    case tooManyLinks(refused: NodeName)
    /// What this relay has to tell does not fit ``Limits/advertisementBytes``; so many attached nodes are left out.
    case advertisementFull(leftOut: Int)

    public var description: String {
        switch self {
        case .equivocation(let origin, let stamp, let from):
            "\(origin) signed two different advertisements numbered \(stamp) (heard from \(from)): "
                + "two processes run under this name, or its key is stolen"
        case .badSignature(let origin, let from):
            "\(from) passed on an advertisement of \(origin) that is not genuine: check both certificates"
        case .ownHigherAdvertisement(let heard, let boot, let from):
            "\(from) knows a later advertisement \(heard) of this relay: its stored boot number was lost or a second "
                + "process runs under this name; going on as boot \(boot)"
        case .tooManyRelays(let refused):
            "\(refused) is one relay more than the \(Limits.meshRelays) a mesh may have; it is not routed to"
        case .tooManyLinks(let refused):
            "no room to list the link with \(refused): this relay lists \(Limits.advertisedLinks) already"
        case .advertisementFull(let leftOut):
            "\(leftOut) attached nodes do not fit this relay's advertisement and cannot be reached from elsewhere; "
                + "attach them to another relay"
        }
    }
}
