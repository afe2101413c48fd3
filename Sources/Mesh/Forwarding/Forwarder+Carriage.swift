import Envelope
import Link

/// A durable copy that was read back to be carried away: the sealed bytes, and how old they are.
public struct CopiedEnvelope: Equatable, Sendable {
    public var hop: HopFields
    /// Header and body.
    public var bytes: [UInt8]

    public init(hop: HopFields, bytes: [UInt8]) {
        self.hop = hop
        self.bytes = bytes
    }
}

/// What waits at a node and is durable there.
public struct DurableCopies: Equatable, Sendable {
    public struct Copy: Equatable, Sendable {
        /// The store's token.
        public var stored: UInt64
        /// Bytes of header and body.
        public var length: Int

        public init(stored: UInt64, length: Int) {
            self.stored = stored
            self.length = length
        }
    }

    /// In no order that means anything.
    public var copies: [Copy]
    /// Whom they are from and for, each once, rising.
    public var nodes: [NodeID]

    public init(copies: [Copy] = [], nodes: [NodeID] = []) {
        self.copies = copies
        self.nodes = nodes
    }
}

// What people carry from node to node, where no link does.
extension Forwarder {
    /// Durable copies of what waits here or is on its way and not confirmed. They stay: whoever carries them away carries
    /// copies, and the receipts for them let go what is here. Looks at every instance.
    /// - Parameter isWanted: asked once a destination; whether there is a way to it now.
    public func durableCopies(_ isWanted: (NodeID, _ hasWay: Bool) -> Bool) -> DurableCopies {
        let wanted = destinations.map { isWanted($0.node, $0.nextHop >= 0) }
        var isFrom = [Bool](repeating: false, count: book.streams.sources.count)
        var isFor = [Bool](repeating: false, count: destinations.count)
        var found = DurableCopies()
        for index in instances.indices {
            let instance = instances[index]
            guard instance.state == .queued || instance.state == .inFlight, !instance.isFinished, instance.stored != 0,
                instance.queue >= 0
            else { continue }
            let destination = Int(instance.queue) / Destination.queuesEach
            guard wanted[destination] else { continue }
            found.copies.append(.init(stored: instance.stored, length: Int(instance.length)))
            isFor[destination] = true
            isFrom[Int(book.streams[instance.stream].source)] = true
        }
        let sources = isFrom.indices.filter { isFrom[$0] }.map { book.streams.sources[$0].node }
        let targets = isFor.indices.filter { isFor[$0] }.map { destinations[$0].node }
        found.nodes = Set(sources + targets).sorted()
        return found
    }

    /// Whether an envelope that was carried here may be stored, by the same rules as one that comes over a link.
    /// - Returns: why not; nil where it may, and ``carriedIn(_:_:_:stored:at:)`` is to follow.
    public mutating func admit(_ header: Header, at now: Instant) -> RefusalReason? {
        guard !isDraining else { return .stopping }
        let flow: Int32
        switch policy.verdict(on: header) {
        case .permitted(let index): flow = book.place(of: index, header.kind)
        case .denied:
            counters.refusedNotPermitted += 1
            return .notPermitted
        case .unknown:
            counters.refusedUnknown += 1
            return .unknownNode
        }
        let stream = book.streams.place(header.stream, of: header.source)
        let fills = book.streams[stream].isGap(header.sequence)
        guard storeTakesWrites, !book.streams[stream].isBehindRefused(header, at: now),
            !book.refuses(flow: flow, stream: stream, header.lane, forGap: fills)
        else {
            counters.refusedFull += 1
            book.streams[stream].noteRefused(header, at: now)
            return .storageFull
        }
        return nil
    }

    /// An envelope that was carried here is durable now: it goes on as one that the store has kept over a restart.
    /// - Parameters:
    ///   - envelope: header and body; of anything but a receipt the header is enough.
    ///   - length: of both.
    public mutating func carriedIn(
        _ header: Header, _ envelope: UnsafeRawBufferPointer, _ hop: HopFields, length: Int, stored: UInt64,
        at now: Instant
    ) {
        recovered(header: header, hop: hop, length: length, stored: stored, at: now)
        if header.kind == .receipt, !locals.contains(header.destination) { noteReceipt(header, envelope) }
    }
}
