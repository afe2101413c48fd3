import Envelope

/// The first frame each end sends. Everything the rest of the session rests on.
public struct Hello: Equatable, Sendable {
    static let magic: UInt32 = 0x314C_5247  // "GRL1" as it lies on the wire

    public var lowestVersion: UInt16
    public var highestVersion: UInt16
    public var node: String
    public var kind: NodeKind
    public var software: String
    /// Random; names the numbering of the transmissions this end will send.
    public var session: Bytes16
    /// The last session of the peer's that this end knows, and which of its transmissions are safe here.
    public var resumes: Bytes16
    public var safe: RangeSet
    /// The sender's clock, so that a wrong one can be noticed. Milliseconds since 1970.
    public var wall: WallTime

    func write(to output: inout ByteQueue) {
        output.appendFrame(.hello) { payload in
            payload.append(Self.magic)
            payload.append(lowestVersion)
            payload.append(highestVersion)
            payload.append(kind.rawValue)
            payload.append(shortText: node)
            payload.append(shortText: software)
            payload.append(session)
            payload.append(wall.milliseconds)
            payload.append(resumes)
            let ranges = safe.ranges.suffix(Hello.ranges)
            payload.append(UInt16(ranges.count))
            for range in ranges {
                payload.append(range.lowerBound)
                payload.append(range.upperBound)
            }
        }
    }

    /// As many ranges as fit the first frame beside the rest.
    static let ranges = 3072

    init(
        node: String, kind: NodeKind, software: String, session: Bytes16, resumes: Bytes16, safe: RangeSet,
        wall: WallTime, versions: ClosedRange<UInt16> = ProtocolVersion.lowest...ProtocolVersion.highest
    ) {
        self.lowestVersion = versions.lowerBound
        self.highestVersion = versions.upperBound
        self.node = node
        self.kind = kind
        self.software = software
        self.session = session
        self.resumes = resumes
        self.safe = safe
        self.wall = wall
    }

    /// Reads magic and versions before anything whose layout depends on them.
    init(_ payload: UnsafeRawBufferPointer) throws(SessionError) {
        var reader = ByteReader(payload)
        guard reader.integer(UInt32.self) == Self.magic else { throw .notThisProtocol }
        guard let lowest = reader.integer(UInt16.self), let highest = reader.integer(UInt16.self), lowest <= highest
        else { throw .malformed("a hello without versions") }
        guard lowest <= ProtocolVersion.highest, highest >= ProtocolVersion.lowest else {
            throw .noCommonVersion(peerLowest: lowest, peerHighest: highest)
        }
        guard let kindByte = reader.integer(UInt8.self), let kind = NodeKind(rawValue: kindByte),
            let node = reader.shortText(), let software = reader.shortText(), let session = reader.bytes16(),
            let wall = reader.integer(Int64.self), let resumes = reader.bytes16(),
            let count = reader.integer(UInt16.self), count <= Hello.ranges
        else { throw .malformed("a hello that ends too early or holds an unknown kind of node") }
        let safe = try Hello.ranges(count, from: &reader)
        self.init(
            node: node, kind: kind, software: software, session: session, resumes: resumes, safe: safe,
            wall: WallTime(milliseconds: wall), versions: lowest...highest)
    }

    /// Rising and disjoint, so that to read them costs a step each.
    private static func ranges(_ count: UInt16, from reader: inout ByteReader) throws(SessionError) -> RangeSet {
        var safe = RangeSet()
        var above: UInt64 = 0
        for _ in 0..<count {
            guard let first = reader.integer(UInt64.self), let last = reader.integer(UInt64.self),
                first > above, first <= last
            else { throw .malformed("a hello with a broken range") }
            safe.insert(first...last)
            above = last
        }
        return safe
    }
}
