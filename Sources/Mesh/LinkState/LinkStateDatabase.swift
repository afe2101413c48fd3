import Envelope

/// The newest advertisement of each other relay.
///
/// Invariants: entries rise by origin, one an origin, at most ``Limits/meshRelays`` − 1; the stamp of an origin never
/// falls while its entry lives. Kept sorted rather than hashed, so that everything made from it has one order.
public struct LinkStateDatabase: Sendable {
    struct Entry: Sendable {
        var advertisement: Advertisement
        var signed: SignedAdvertisement
        /// When the origin made it, as far as local clocks tell.
        var heardAt: Instant
        /// Ids in the order of the advertisement's lists.
        var originID: NodeID
        var linkIDs: [NodeID]
        var attachedIDs: [NodeID]
        /// False once it has been silent for ``Limits/advertisementUse``.
        var isUsed: Bool

        func age(at now: Instant) -> Duration { now - heardAt }
    }

    private(set) var entries: [Entry] = [] {
        didSet { version &+= 1 }
    }

    /// Another one after every change of what is held.
    public private(set) var version: UInt64 = 0

    /// When ``expire(at:)`` next has something to do. Kept, since it is asked after every event.
    private(set) var nextExpiry = Instant.never

    init() {}

    /// Advertisements held, in rising order of origin.
    public var advertisements: [Advertisement] { entries.map(\.advertisement) }

    subscript(origin: NodeName) -> Entry? { index(of: origin).map { entries[$0] } }

    /// Of the origin's newest; without copying its entry, as the subscript does.
    func stamp(of origin: NodeName) -> Advertisement.Stamp? {
        index(of: origin).map { entries[$0].advertisement.stamp }
    }

    /// True where these bytes are the origin's newest.
    func holds(_ bytes: [UInt8], of origin: NodeName) -> Bool {
        index(of: origin).map { entries[$0].signed.bytes == bytes } ?? false
    }

    /// - Returns: false where the mesh has too many relays to take one more.
    mutating func install(_ entry: Entry) -> Bool {
        defer { setNextExpiry() }
        let origin = entry.advertisement.origin
        if let index = index(of: origin) {
            entries[index] = entry
            return true
        }
        guard entries.count < Limits.meshRelays - 1 || forgetSilent() else { return false }
        entries.insert(entry, at: position(of: origin))
        return true
    }

    /// - Returns: false where there was none.
    mutating func remove(_ origin: NodeName) -> Bool {
        defer { setNextExpiry() }
        guard let index = index(of: origin) else { return false }
        entries.remove(at: index)
        return true
    }

    /// Makes room by forgetting the origin silent for longest, if any is silent.
    private mutating func forgetSilent() -> Bool {
        let silent = entries.indices.filter { !entries[$0].isUsed }
        guard let oldest = silent.min(by: { entries[$0].heardAt < entries[$1].heardAt }) else { return false }
        entries.remove(at: oldest)
        return true
    }

    /// Stops the use of silent origins and forgets old ones.
    /// - Returns: true where something changed.
    mutating func expire(at now: Instant) -> Bool {
        defer { setNextExpiry() }
        let count = entries.count
        entries.removeAll { $0.age(at: now) >= Limits.advertisementKeep }
        var changed = entries.count != count
        for index in entries.indices where entries[index].isUsed {
            guard entries[index].age(at: now) >= Limits.advertisementUse else { continue }
            entries[index].isUsed = false
            changed = true
        }
        return changed
    }

    /// After every change of an entry.
    private mutating func setNextExpiry() {
        nextExpiry = .never
        for index in entries.indices {
            let life = entries[index].isUsed ? Limits.advertisementUse : Limits.advertisementKeep
            nextExpiry = min(nextExpiry, entries[index].heardAt + life)
        }
    }

    private func index(of origin: NodeName) -> Int? {
        let index = position(of: origin)
        return index < entries.count && entries[index].advertisement.origin == origin ? index : nil
    }

    private func position(of origin: NodeName) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].advertisement.origin < origin { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
