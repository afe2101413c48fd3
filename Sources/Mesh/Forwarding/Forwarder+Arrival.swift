import Envelope
import Link

extension Forwarder {
    /// An envelope came over a link.
    mutating func arrived(
        on link: LinkIndex, transmission: UInt64, hop: HopFields, envelope: UnsafeRawBufferPointer, at now: Instant
    ) {
        let creditor = Creditor(
            link: Int32(link), serial: links[link].ledger.serial, transmission: transmission)
        links[link].ledger.noteReceived()
        markDirty(link)
        let header: Header
        do {
            header = try Header(envelope)
            guard Header.size + Int(header.bodyLength) == envelope.count else {
                throw EnvelopeError.truncated(needed: Header.size + Int(header.bodyLength), present: envelope.count)
            }
        } catch {
            // Taken off the neighbour's hands, so that it is not sent for ever; the source sends a whole one again.
            counters.damaged += 1
            links[link].ledger.markSafe(creditor, length: envelope.count)
            effects.append(.damaged(link: link, bytes: Array(envelope.prefix(4096)), reason: "\(error)"))
            return
        }
        let flow: Int32
        switch policy.verdict(on: header) {
        case .permitted(let index): flow = book.place(of: index, header.kind)
        case .denied:
            counters.refusedNotPermitted += 1
            return refuse(creditor, .notPermitted, delay: Limits.longestRefusal, length: envelope.count)
        case .unknown:
            counters.refusedUnknown += 1
            return refuse(creditor, .unknownNode, delay: unknownNodeDelay(at: now), length: envelope.count)
        }
        #if CANARIES
            if plantedTakes(header, creditor, length: envelope.count) { return }
        #endif
        guard !isDraining else { return refuse(creditor, .stopping, delay: .seconds(1), length: envelope.count) }
        // A node that keeps nothing for others passes nothing on: what is not for it, it judges and sets aside.
        let isLocal = locals.contains(header.destination) || !configuration.hasStore
        let destination = isLocal ? nil : destination(for: header.destination)
        let stream = book.streams.place(header.stream, of: header.source)
        let fills = book.streams[stream].isGap(header.sequence)
        guard !book.streams[stream].isBehindRefused(header, at: now),
            hasRoom(hop, destination, flow, reserve: reserve(header.lane, forGap: fills)),
            !book.refuses(flow: flow, stream: stream, header.lane, forGap: fills)
        else {
            counters.refusedFull += 1
            book.streams[stream].noteRefused(header, at: now)
            return refuse(creditor, .storageFull, delay: .seconds(1), length: envelope.count)
        }
        book.streams[stream].noteTaken(header.sequence)
        compactIfSparse()
        if header.kind == .receipt, !isLocal { noteReceipt(header, envelope) }
        accept(header, hop, creditor, envelope, destination, (flow, stream, fills), at: now)
    }

    private mutating func accept(
        _ header: Header, _ hop: HopFields, _ creditor: Creditor, _ envelope: UnsafeRawBufferPointer,
        _ destination: Int32?, _ account: (flow: Int32, stream: Int32, fillsGap: Bool), at now: Instant
    ) {
        var instance = Instance()
        instance.flow = account.flow
        instance.stream = account.stream
        instance.sequence = header.sequence
        instance.lane = header.lane
        instance.hopLimit = hop.hopLimit == 0 ? 0 : hop.hopLimit - 1
        instance.length = UInt32(envelope.count)
        instance.ageAtArrival = hop.age
        instance.lifetime = header.lifetime
        instance.arrivedAt = now
        instance.creditor = creditor
        instance.block = arrivedIn.take().map { slabs.keep($0, envelope.count) } ?? slabs.allocate(envelope)
        instance.fillsGap = account.fillsGap
        instance.state = destination == nil ? .delivering : .queued
        let index = instances.add(instance)
        #if CANARIES
            plantedSees(header, instances.id(index))
        #endif
        countAccepted(index)
        guard let destination else { return effects.append(.deliver(instances.id(index))) }
        enqueueNew(index, destination)
        guard configuration.hasStore else { return }
        if durability(of: account.flow) == .storeFirst || isStuck(instances[index].queue)
            || slabs.bytesHeld > configuration.memoryBytes
        {
            requestStore(index)
        } else {
            holding.append(instances.id(index), for: holdTime(destination), at: now)
        }
    }

    /// The longer nothing new was heard of the mesh, the longer it takes until something is.
    private func unknownNodeDelay(at now: Instant) -> Duration {
        min(max(now - policySince, Limits.unknownNodeDelay.lowerBound), Limits.unknownNodeDelay.upperBound)
    }

    mutating func countAccepted(_ index: UInt32) {
        counters.accepted += 1
        counters.bytesAccepted += UInt64(instances[index].length)
        book.open(
            instances[index].flow, instances[index].lane, instances[index].stream, Int(instances[index].length))
    }

    /// When custody of a flow's envelopes is passed upstream.
    func durability(of flow: Int32) -> Durability { book.flows[Int(flow)].durability ?? configuration.durability }

    /// Whether memory or store can take one more, of whatever length: the bound may be passed by one envelope, so that
    /// the longest always has a way.
    private func hasRoom(_ hop: HopFields, _ destination: Int32?, _ flow: Int32, reserve: Int) -> Bool {
        guard let destination, configuration.hasStore else {
            return slabs.bytesHeld < 2 * configuration.memoryBytes + reserve
        }
        let held = slabs.bytesHeld
        guard storeBlockedUntil == .zero else {
            // Without the store only what can go on at once is taken.
            let hasWay = destinations[Int(destination)].nextHop >= 0 && hop.hopLimit > 1
            return hasWay && durability(of: flow) == .cutThrough && held < configuration.memoryBytes + reserve
        }
        // Over the budget it goes to the store at once, and the writes under way must not pile up.
        return held < configuration.memoryBytes + reserve + Limits.spillingBytes
    }

    /// Bytes beyond the bound. Control has space of its own, and so has what something held waits for.
    private func reserve(_ lane: Lane, forGap fills: Bool) -> Int {
        lane == .control ? Limits.controlReserveBytes : fills ? Limits.gapReserveBytes : 0
    }

    /// Says no to a transmission before anything was accepted.
    mutating func refuse(_ creditor: Creditor, _ reason: RefusalReason, delay: Duration, length: Int) {
        let link = Int(creditor.link)
        guard creditor.link >= 0, creditor.serial == links[link].ledger.serial else { return }
        links[link].ledger.settleRefused(creditor, length: length)
        markDirty(link)
        effects.append(
            .refuse(
                link: link, serial: creditor.serial, transmission: creditor.transmission, reason, delay: delay))
    }

    /// What the forwarder must know of an envelope that this node made.
    public struct Origin: Sendable {
        public var destination: NodeID
        /// nil for one that is in no stream.
        public var identity: Identity?
        public var lane: Lane
        public var length: Int
        /// Seconds.
        public var lifetime: UInt32
        /// Since it was made.
        public var age: Duration
        /// Comes back in ``Effect/departed(owner:)`` and ``Effect/expired(_:)``.
        public var owner: UInt64
        /// The token of a durable copy that its maker keeps whatever happens here; 0 for none. With one, the bytes
        /// may be dropped from memory and fetched again.
        public var stored: UInt64

        public init(
            destination: NodeID, identity: Identity? = nil, lane: Lane, length: Int, lifetime: UInt32,
            age: Duration = .zero, owner: UInt64,
            stored: UInt64
        ) {
            self.destination = destination
            self.identity = identity
            self.lane = lane
            self.length = length
            self.lifetime = lifetime
            self.age = age
            self.owner = owner
            self.stored = stored
        }
    }

    /// Adds an envelope that this node made.
    ///
    /// Without a durable copy its bytes take memory whatever the budget says: its maker bounds what it makes.
    ///
    /// - Parameter envelope: header and body; nil where only the durable copy is at hand.
    /// - Precondition: there are bytes or a durable copy.
    public mutating func originate(_ origin: Origin, _ envelope: UnsafeRawBufferPointer?, at now: Instant) {
        precondition(envelope != nil || origin.stored != 0, "an envelope has bytes somewhere")
        var instance = Instance()
        instance.stream = book.streams.place(
            origin.identity?.stream ?? StreamID(Bytes16(low: 0, high: 0)), of: origin.identity?.source ?? locals[0])
        if let identity = origin.identity {
            instance.sequence = identity.sequence
            instance.fillsGap = book.streams[instance.stream].isGap(identity.sequence)
            book.streams[instance.stream].noteTaken(identity.sequence)
        }
        instance.lane = origin.lane
        instance.hopLimit = Limits.hops
        instance.length = UInt32(origin.length)
        instance.ageAtArrival = UInt32(clamping: origin.age.wholeMilliseconds)
        instance.lifetime = origin.lifetime
        instance.arrivedAt = now
        instance.isOrigin = true
        instance.owner = origin.owner
        instance.stored = origin.stored
        let isLocal = locals.contains(origin.destination)
        instance.state = isLocal ? .delivering : .queued
        if let envelope, origin.stored == 0 || isLocal || keepsDurable(envelope.count, origin) {
            instance.block = slabs.allocate(envelope)
        }
        let index = instances.add(instance)
        countAccepted(index)
        if !isLocal {
            enqueueNew(index, destination(for: origin.destination))
        } else if instance.block.isNone {
            fetch(index)
        } else {
            effects.append(.deliver(instances.id(index)))
        }
    }

    /// Whether the bytes of an origin stay in memory though they are durable, so that they need not be read back.
    ///
    /// Never behind others that must be read back first, and never for a queue that has no way on: such bytes would leave
    /// no memory to read the head of a queue into. One that goes at once has the whole budget, one that waits five eighths:
    /// less than what is read back may take.
    private mutating func keepsDurable(_ length: Int, _ origin: Origin) -> Bool {
        let number = destination(for: origin.destination) * Int32(Destination.queuesEach) + Int32(origin.lane.rawValue)
        let tail = queues[Int(number)].tail
        let budget = tail < 0 ? configuration.memoryBytes : configuration.memoryBytes / 8 * 5
        guard slabs.bytesHeld + length <= budget, !isStuck(number) else { return false }
        return tail < 0 || !instances[UInt32(tail)].block.isNone || instances[UInt32(tail)].isFetching
    }

    /// Adds an instance that the store has kept over a restart.
    public mutating func recovered(
        header: Header, hop: HopFields, length: Int, stored: UInt64, at now: Instant
    ) {
        var instance = Instance()
        instance.flow = flowPlace(of: header)
        instance.stream = book.streams.place(header.stream, of: header.source)
        instance.fillsGap = book.streams[instance.stream].isGap(header.sequence)
        book.streams[instance.stream].noteTaken(header.sequence)
        instance.sequence = header.sequence
        instance.lane = header.lane
        instance.hopLimit = hop.hopLimit
        instance.length = UInt32(length)
        instance.ageAtArrival = hop.age
        instance.lifetime = header.lifetime
        instance.arrivedAt = now
        instance.stored = stored
        let isLocal = locals.contains(header.destination)
        instance.state = isLocal ? .delivering : .queued
        let index = instances.add(instance)
        #if CANARIES
            plantedSees(header, instances.id(index))
        #endif
        countAccepted(index)
        if isLocal { fetch(index) } else { enqueueNew(index, destination(for: header.destination)) }
    }
}
