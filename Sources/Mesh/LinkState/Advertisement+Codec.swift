import Envelope

/// The bytes of an advertisement; docs/protocol-mesh.md draws them. What is signed is exactly these bytes, so they
/// are stored and passed on as they came.
extension Advertisement {
    static let version: UInt8 = 1

    /// - Precondition: names, texts and counts are within the limits that the members' comments tell.
    public func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.append(Self.version)
        writer.append(origin)
        writer.append(word: stamp.boot)
        writer.append(word: stamp.sequence)
        writer.append(word: madeAt.milliseconds)
        writer.append(text: softwareVersion)
        writer.append(UInt8(listenPorts.count))
        for port in listenPorts { writer.append(word: port) }
        holdings.append(to: &writer)
        writer.append(word: UInt16(links.count))
        for link in links { link.append(to: &writer) }
        writer.append(word: UInt16(attached.count))
        for node in attached { node.append(to: &writer) }
        writer.append(UInt8(services.count))
        for service in services {
            writer.append(text: service.name.description)
            writer.append(service.provider)
        }
        return writer.bytes
    }

    /// - Throws: ``LinkStateError`` for anything that ``encoded()`` would not have written.
    public init(decoding bytes: [UInt8]) throws(LinkStateError) {
        guard bytes.count <= Limits.advertisementBytes else {
            throw .tooMuch("advertisement bytes", UInt64(bytes.count), limit: UInt64(Limits.advertisementBytes))
        }
        var reader = WireReader(bytes)
        let version = try reader.byte("version")
        guard version == Self.version else { throw .version(version) }
        origin = try reader.nodeName("origin")
        stamp = Stamp(boot: try reader.word("boot"), sequence: try reader.word("sequence"))
        madeAt = WallTime(milliseconds: try reader.word("time"))
        softwareVersion = try reader.text("software version", most: Limits.softwareVersionBytes)
        listenPorts = try Self.ports(&reader)
        holdings = try Holdings(&reader)
        links = try Self.links(&reader, of: origin)
        attached = try Self.attached(&reader, of: origin, most: Limits.advertisedLinks - links.count)
        services = try Self.services(&reader)
        try reader.end()
    }

    /// Who made it, without a look at the rest; nil where the bytes do not begin as ``encoded()`` writes.
    static func origin(of bytes: [UInt8]) -> NodeName? {
        var reader = WireReader(bytes)
        guard let version = try? reader.byte("version"), version == Self.version else { return nil }
        return try? reader.nodeName("origin")
    }

    private static func ports(_ reader: inout WireReader) throws(LinkStateError) -> [UInt16] {
        let count = Int(try reader.byte("ports"))
        guard count <= Limits.advertisedPorts else {
            throw .tooMuch("ports", UInt64(count), limit: UInt64(Limits.advertisedPorts))
        }
        var ports: [UInt16] = []
        for _ in 0..<count { ports.append(try reader.word("ports")) }
        return ports
    }

    private static func links(_ reader: inout WireReader, of origin: NodeName) throws(LinkStateError) -> [Link] {
        let count = try reader.count("links", most: Limits.advertisedLinks, least: 11)
        var links: [Link] = []
        links.reserveCapacity(count)
        for _ in 0..<count {
            let link = try Link(&reader)
            guard link.peer != origin, links.last.map({ $0.peer < link.peer }) ?? true else {
                throw .outOfOrder("links")
            }
            links.append(link)
        }
        return links
    }

    private static func attached(
        _ reader: inout WireReader, of origin: NodeName, most limit: Int
    ) throws(LinkStateError) -> [Attached] {
        let count = try reader.count("attached nodes", most: limit, least: 10)
        var nodes: [Attached] = []
        nodes.reserveCapacity(count)
        for _ in 0..<count {
            let node = try Attached(&reader)
            guard node.node != origin, nodes.last.map({ $0.node < node.node }) ?? true else {
                throw .outOfOrder("attached nodes")
            }
            nodes.append(node)
        }
        return nodes
    }

    private static func services(_ reader: inout WireReader) throws(LinkStateError) -> [Service] {
        let count = Int(try reader.byte("services"))
        var services: [Service] = []
        for _ in 0..<count {
            let name = try reader.serviceName("service")
            let service = Service(name: name, provider: try reader.nodeName("provider"))
            guard services.last.map({ $0 < service }) ?? true else { throw .outOfOrder("services") }
            services.append(service)
        }
        return services
    }
}

extension Advertisement.Holdings {
    fileprivate func append(to writer: inout WireWriter) {
        for value in [parkedEnvelopes, parkedBytes, storedEnvelopes, storedBytes] { writer.append(varint: value) }
    }

    fileprivate init(_ reader: inout WireReader) throws(LinkStateError) {
        parkedEnvelopes = try reader.varint("parked envelopes")
        parkedBytes = try reader.varint("parked bytes")
        storedEnvelopes = try reader.varint("stored envelopes")
        storedBytes = try reader.varint("stored bytes")
    }
}

extension Advertisement.Statistics {
    /// Milliseconds; past 100 years an age is a mistake.
    private static let oldestAgeMost: UInt64 = 100 * 366 * 86_400_000

    fileprivate func append(to writer: inout WireWriter) {
        let microseconds = UInt64(max(roundTrip.wholeNanoseconds, 0)) / 1000
        writer.append(varint: min(microseconds, UInt64(UInt32.max)))
        writer.append(varint: bytesQueued)
        writer.append(varint: envelopesQueued)
        writer.append(varint: min(UInt64(max(oldestAge.wholeMilliseconds, 0)), Self.oldestAgeMost))
    }

    fileprivate init(_ reader: inout WireReader) throws(LinkStateError) {
        roundTrip = .microseconds(Int64(try reader.varint("round trip", most: UInt64(UInt32.max))))
        bytesQueued = try reader.varint("bytes queued")
        envelopesQueued = try reader.varint("envelopes queued")
        oldestAge = .milliseconds(Int64(try reader.varint("oldest age", most: Self.oldestAgeMost)))
    }
}

/// The two bits that links and attached nodes share.
private enum Flags {
    static let dialledByOrigin: UInt8 = 1
    static let isUp: UInt8 = 2

    static func byte(dialledByOrigin dialled: Bool, isUp up: Bool) -> UInt8 {
        (dialled ? dialledByOrigin : 0) | (up ? isUp : 0)
    }

    static func read(_ reader: inout WireReader) throws(LinkStateError) -> UInt8 {
        let flags = try reader.byte("flags")
        guard flags & ~(dialledByOrigin | isUp) == 0 else { throw .illegal("flags", UInt64(flags)) }
        return flags
    }
}

extension Advertisement.Link {
    fileprivate func append(to writer: inout WireWriter) {
        writer.append(peer)
        writer.append(Flags.byte(dialledByOrigin: dialledByOrigin, isUp: isUp))
        writer.append(word: cost)
        statistics.append(to: &writer)
    }

    fileprivate init(_ reader: inout WireReader) throws(LinkStateError) {
        peer = try reader.nodeName("peer")
        let flags = try Flags.read(&reader)
        dialledByOrigin = flags & Flags.dialledByOrigin != 0
        isUp = flags & Flags.isUp != 0
        cost = try reader.word("cost")
        guard cost > 0 else { throw .illegal("cost", 0) }
        statistics = try Advertisement.Statistics(&reader)
    }
}

extension Advertisement.Attached {
    fileprivate func append(to writer: inout WireWriter) {
        writer.append(node)
        writer.append(kind.rawValue)
        writer.append(Flags.byte(dialledByOrigin: dialledByOrigin, isUp: isUp))
        statistics.append(to: &writer)
    }

    fileprivate init(_ reader: inout WireReader) throws(LinkStateError) {
        node = try reader.nodeName("attached node")
        let raw = try reader.byte("kind")
        guard let kind = NodeKind(rawValue: raw), kind != .relay else { throw .illegal("kind", UInt64(raw)) }
        self.kind = kind
        let flags = try Flags.read(&reader)
        dialledByOrigin = flags & Flags.dialledByOrigin != 0
        isUp = flags & Flags.isUp != 0
        statistics = try Advertisement.Statistics(&reader)
    }
}
