import Envelope

/// One relay's part in the mesh: what it tells of itself, what it knows of others, and the way to everywhere.
///
/// Invariants:
/// - Of each origin the advertisement with the greatest (boot, sequence) heard is held, whatever the order of arrival.
/// - An edge counts only where both its ends list it as up.
/// - Relays with equal databases send an envelope nearer with every hop, also over alternates.
/// - Memory is bounded by ``Limits/meshRelays`` advertisements of ``Limits/advertisementBytes``.
///
/// Error contract: ``receive(_:from:at:into:)`` throws for bytes that are no message, and then has changed nothing.
/// Everything else that is amiss is an alarm to the sink. Time comes in as an argument and never runs backwards.
public struct Router<Trust: AdvertisementTrust>: Sendable {
    /// The id of a node's full name or of an anycast name, such as `plant-a/relay-1` or `manager`.
    public typealias Identify = @Sendable (String) -> NodeID

    public let local: NodeName
    public let localID: NodeID
    let trust: Trust
    let identify: Identify

    /// Number of this process start; grows where the mesh knows a greater one (``RouterAlarm``).
    public internal(set) var boot: UInt64
    /// Number of the latest own advertisement; 0 before the first.
    var sequence: UInt64 = 0
    var wall: WallTime
    var wallSetAt: Instant
    var softwareVersion = ""
    var listenPorts: [UInt16] = []
    var holdings = Advertisement.Holdings()
    var ownServices: [ServiceName] = []
    /// Names that were told by hand; see ``learn(_:at:into:)``.
    public internal(set) var taughtNames: [NodeName] = []
    /// Rising by name.
    var adjacencies: [Adjacency] = []

    public internal(set) var database = LinkStateDatabase()
    var ownSigned: SignedAdvertisement?
    var table = RoutingTable()
    var directory = Directory()
    public internal(set) var directoryVersion: UInt64 = 0

    var advertisementDue: Instant
    var lastAdvertised: Instant?
    var advertisementInterval = Limits.advertisementInterval
    var digestDue = Instant.never
    var pathsDue = Instant.never
    var lastPaths: Instant?
    var pathInterval = Limits.pathInterval

    /// - Parameters:
    ///   - boot: one more than at the last start, stored before use; 1 where that is lost (the mesh then tells).
    ///   - wall: time of day at `now`; see ``setWallTime(_:at:)``.
    public init(
        local: NodeName, boot: UInt64, trust: Trust, wall: WallTime, at now: Instant, identify: @escaping Identify
    ) {
        self.local = local
        self.localID = identify(local.description)
        self.boot = boot
        self.trust = trust
        self.wall = wall
        self.wallSetAt = now
        self.identify = identify
        advertisementDue = now
        _ = refreshPaths(at: now)
    }
}

// MARK: Questions

extension Router: NodeDirectory {
    /// The way to a relay, an attached node or an anycast name. One look into a table.
    public func route(to destination: NodeID) -> Route { table.route(to: destination) }

    public func nodeName(of id: NodeID) -> NodeName? { directory.names[id] }

    /// The ids of neighbours are at hand.
    public func identity(of node: NodeName) -> NodeID { adjacency(of: node)?.id ?? identify(node.description) }

    public func offers(_ service: NodeID, by node: NodeID) -> Bool {
        directory.offers.contains(Directory.Offer(service: service, provider: node))
    }

    public func isRelay(_ id: NodeID) -> Bool { directory.relays.contains(id) }

    /// When ``timeReached(_:into:)`` next has something to do.
    public var nextDeadline: Instant {
        min(min(advertisementDue, digestDue), min(pathsDue, min(database.nextExpiry, nextForgottenLink)))
    }
}
