extension Header {
    /// Where each field begins on the wire; docs/protocol.md shows the same table.
    public enum Offset {
        public static let version = 0
        public static let kind = 1
        public static let lane = 2
        public static let flags = 3
        public static let source = 4
        public static let destination = 20
        public static let stream = 36
        public static let sequence = 52
        public static let floor = 60
        public static let created = 68
        public static let lifetime = 76
        public static let key = 80
        public static let bodyLength = 96
        public static let checksum = 100
    }

    /// Reads the first ``size`` bytes; more may follow.
    ///
    /// Only the version is looked at before the checksum, since another version may keep its checksum elsewhere.
    /// - Throws: ``EnvelopeError`` that says what is wrong; nothing that a peer can write traps.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) throws(EnvelopeError) {
        guard bytes.count >= 104, let base = bytes.baseAddress else {
            throw .truncated(needed: 104, present: bytes.count)
        }
        guard bytes[0] == 1 else { throw .unknownVersion(bytes[0]) }
        let covered = UnsafeRawBufferPointer(start: base, count: 100)
        guard CRC32C.checksum(of: covered) == Header.word32(base, 100) else { throw .wrongChecksum }
        guard let kind = Kind(rawValue: bytes[1]) else { throw .unknownKind(bytes[1]) }
        guard let lane = Lane(rawValue: bytes[2]) else { throw .unknownLane(bytes[2]) }
        self.init(
            kind: kind, lane: lane, flags: Flags(rawValue: bytes[3]),
            source: NodeID(Header.bytes16(base, 4)), destination: NodeID(Header.bytes16(base, 20)),
            stream: StreamID(Header.bytes16(base, 36)),
            sequence: Sequence(Header.word64(base, 52)), floor: Sequence(Header.word64(base, 60)),
            created: WallTime(milliseconds: Int64(bitPattern: Header.word64(base, 68))),
            lifetime: Header.word32(base, 76), key: KeyID(Header.bytes16(base, 80)),
            bodyLength: Header.word32(base, 96))
        try check()
    }

    @inlinable
    public init(_ bytes: RawSpan) throws(EnvelopeError) {
        self = try bytes.withUnsafeBytes { (bytes) throws(EnvelopeError) in try Header(bytes) }
    }

    public init(_ bytes: [UInt8]) throws(EnvelopeError) {
        try self.init(bytes.span.bytes)
    }

    /// What must hold of the fields beyond their own range; a header that breaks it is never written or read.
    @inlinable
    public func check() throws(EnvelopeError) {
        guard Int(bodyLength) <= Limits.bodyBytes else { throw .bodyTooLong(Int(bodyLength)) }
        guard lifetime > 0 else { throw .zeroLifetime }
        guard sequence.number > 0 else { throw .zeroSequence }
        guard floor <= sequence else { throw .floorAboveSequence }
    }

    /// Writes ``size`` bytes at the beginning of `bytes`.
    /// - Precondition: `bytes` has room for them.
    @inlinable
    public func encode(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= 104, "a header needs 104 bytes")
        guard let base = bytes.baseAddress else { return }
        bytes[0] = Header.version
        bytes[1] = kind.rawValue
        bytes[2] = lane.rawValue
        bytes[3] = flags.rawValue
        Header.store(source.value, base, 4)
        Header.store(destination.value, base, 20)
        Header.store(stream.value, base, 36)
        Header.store(sequence.number, base, 52)
        Header.store(floor.number, base, 60)
        Header.store(UInt64(bitPattern: created.milliseconds), base, 68)
        Header.store(lifetime, base, 76)
        Header.store(key.value, base, 80)
        Header.store(bodyLength, base, 96)
        Header.store(CRC32C.checksum(of: UnsafeRawBufferPointer(start: base, count: 100)), base, 100)
    }

    /// The ``size`` bytes of the header.
    public var encoded: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Header.size) { buffer, count in
            encode(into: UnsafeMutableRawBufferPointer(buffer))
            count = Header.size
        }
    }

    /// Appends the ``size`` bytes of the header.
    public func append(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Header.size, alignment: 8) { buffer in
            encode(into: buffer)
            bytes.append(contentsOf: buffer)
        }
    }
}

// Loads and stores at fixed places whose bounds the caller has checked once for the whole header.
extension Header {
    @inlinable
    static func word32(_ base: UnsafeRawPointer, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inlinable
    static func word64(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inlinable
    static func bytes16(_ base: UnsafeRawPointer, _ offset: Int) -> Bytes16 {
        Bytes16(low: word64(base, offset), high: word64(base, offset + 8))
    }

    @inlinable
    static func store(_ word: some FixedWidthInteger & BitwiseCopyable, _ base: UnsafeMutableRawPointer, _ offset: Int)
    {
        base.storeBytes(of: word.littleEndian, toByteOffset: offset, as: type(of: word))
    }

    @inlinable
    static func store(_ value: Bytes16, _ base: UnsafeMutableRawPointer, _ offset: Int) {
        store(value.low, base, offset)
        store(value.high, base, offset + 8)
    }
}
