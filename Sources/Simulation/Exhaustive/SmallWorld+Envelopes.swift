import Envelope
import Mesh

extension SmallWorld {
    func originate() {
        let bytes = envelope(made)
        made += 1
        let origin = Forwarder.Origin(
            destination: destination.id, lane: .live, length: bytes.count, lifetime: 1_000_000, owner: UInt64(made),
            stored: UInt64(made))
        let source = own(0)
        bytes.withUnsafeBytes { source.exchange.forwarder.originate(origin, $0, at: now) }
        turn(0)
    }

    func envelope(_ number: Int) -> [UInt8] {
        let header = Header(
            kind: .data, lane: .live, source: nodes[0].id, destination: destination.id,
            stream: StreamID(Bytes16(low: 7, high: 7)), sequence: Sequence(UInt64(number + 1)), floor: Sequence.none,
            created: WallTime(milliseconds: 0), lifetime: 1_000_000, key: KeyID(Bytes16(low: 1, high: 1)),
            bodyLength: 8)
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        return bytes + [UInt8](repeating: UInt8(number), count: 8)
    }

    /// Which envelope this is; -1 for none of them.
    static func number(of bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { number(of: $0) } }

    static func number(of bytes: UnsafeRawBufferPointer) -> Int {
        guard let header = try? Header(bytes) else { return -1 }
        return Int(header.sequence.number) - 1
    }
}
