public import Envelope
public import Mesh

/// A connection between two exchanges whose bytes are across at once, in one thread.
public struct Wire {
    public let near: SessionID
    public let far: SessionID

    /// - Parameter number: unlike that of every other wire.
    public init(
        _ number: UInt64, _ near: inout Exchange, _ nearName: NodeName, _ far: inout Exchange, _ farName: NodeName,
        at now: Instant, identify: (NodeName) -> NodeID
    ) {
        func open(_ exchange: inout Exchange, to peer: NodeName, _ side: UInt64) -> SessionID {
            exchange.open(
                peer: identify(peer), name: peer, session: Bytes16(low: number, high: side),
                wall: WallTime(milliseconds: 0), at: now)
        }
        self.near = open(&near, to: farName, 1)
        self.far = open(&far, to: nearName, 2)
    }

    /// Brings over what each end has to say. Both then want to be settled.
    /// - Returns: whether anything was said.
    public func carry(_ near: inout Exchange, _ far: inout Exchange, at now: Instant) -> Bool {
        let said = Self.move(self.near, &near, self.far, &far, at: now)
        let answered = Self.move(self.far, &far, self.near, &near, at: now)
        return said || answered
    }

    private static func move(
        _ id: SessionID, _ from: inout Exchange, _ other: SessionID, _ to: inout Exchange, at now: Instant
    ) -> Bool {
        let bytes = from.takeOutput(id)
        guard !bytes.isEmpty else { return false }
        from.drained(id, at: now)
        bytes.withUnsafeBytes { to.receive(other, $0, at: now) }
        return true
    }
}
