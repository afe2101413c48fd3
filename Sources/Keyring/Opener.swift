import Crypto
import Envelope

/// Why an envelope has no effect here. The order of the cases is the order of the checks.
public enum OpenError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Not an envelope at all.
    case malformed(EnvelopeError)
    /// Meant for another node.
    case wrongAddress(NodeID)
    /// An epoch this node does not have yet: park the envelope and ask for the key.
    case unknownKey(KeyID)
    /// An epoch whose secrets are gone: the source must seal under a newer one.
    case destroyedKey(KeyID)
    /// The epoch is here, but no flow lets this source speak with this node.
    case unknownSource(NodeID)
    /// Altered, forged, or sealed for another header.
    case notAuthentic
    /// Sealed by a peer that means another kind of message or other fields.
    case wrongStructure
    /// The security code is not that of this header and this batch.
    case wrongCode
    /// Sealed rightly around something that is no compressed part.
    case damagedBatch(EnvelopeError)

    public var description: String {
        switch self {
        case .malformed(let error): "not an envelope: \(error)"
        case .wrongAddress(let node): "the envelope is for node \(node), not for this one"
        case .unknownKey(let id): "key \(id) is not known here; give this node a grant of it"
        case .destroyedKey(let id): "key \(id) was destroyed; the source must seal under a newer one"
        case .unknownSource(let node):
            "no grant here lets node \(node) send to this one; grant the pair a key if a flow allows it"
        case .notAuthentic: "the envelope was altered, or sealed by someone without the key"
        case .wrongStructure:
            "the structure code is not that of this kind of envelope; compare the versions of both ends"
        case .wrongCode: "the security code does not match header and batch"
        case .damagedBatch(let error): "the sealed batch cannot be unpacked: \(error)"
        }
    }
}

/// Opens what other nodes sealed for this one.
///
/// Keeps the contexts of the streams used last. A stream is remembered only after an envelope of it was
/// authentic, so that forged stream ids cannot push out true ones.
/// Error contract: a throw leaves the opener good for the next envelope.
public struct Opener: ~Copyable {
    /// Change it with ``use(_:)``.
    public private(set) var keychain: Keychain

    private let capacity: Int
    private var places: [StreamPlace: Int] = [:]
    private var streams: [RememberedStream] = []
    private var uses: UInt64 = 0
    private var decompressor = Decompressor()
    // Wiped when it is given back.
    private var plaintext = SecretBytes(zeroed: 0)

    /// - Parameter capacity: streams to keep at hand, at least 1.
    public init(_ keychain: Keychain, capacity: Int = Limits.openStreams) {
        self.keychain = keychain
        self.capacity = max(1, capacity)
    }

    /// Streams at hand.
    public var streamsHeld: Int { streams.count }

    /// Goes on with other grants; forgets all contexts, since a key may have been destroyed.
    public mutating func use(_ keychain: Keychain) {
        self.keychain = keychain
        places.removeAll()
        streams.removeAll()
    }

    /// Header and sealed body in, batch out.
    public mutating func open(_ envelope: [UInt8]) throws(OpenError) -> [UInt8] {
        try open(envelope.span.bytes)
    }

    public mutating func open(_ envelope: RawSpan) throws(OpenError) -> [UInt8] {
        let header: Header
        do throws(EnvelopeError) {
            header = try Header(envelope)
            guard header.envelopeLength == envelope.byteCount else {
                throw .wrongBodyLength(
                    declared: Int(header.bodyLength), present: envelope.byteCount - Header.size)
            }
            let least = SealedBody.overhead + Compression.headSize
            guard header.bodyLength >= least else {
                throw .truncated(needed: least, present: Int(header.bodyLength))
            }
        } catch {
            throw .malformed(error)
        }
        guard header.destination == keychain.holderID else { throw .wrongAddress(header.destination) }
        let keys = try keychain.opening(header.key, from: header.source)
        return try envelope.withUnsafeBytes { (envelope) throws(OpenError) in
            try open(header, keys, envelope)
        }
    }

    private mutating func open(
        _ header: Header, _ keys: PairKeys, _ envelope: UnsafeRawBufferPointer
    ) throws(OpenError) -> [UInt8] {
        let place = StreamPlace(source: header.source, stream: header.stream, key: header.key)
        let stream = remembered(place) ?? RememberedStream(place, keys, destination: header.destination)
        let length = Int(header.bodyLength) - AEADKey.overhead
        if plaintext.count < length {
            plaintext = SecretBytes(zeroed: max(length, min(plaintext.count * 2, Limits.bodyBytes)))
        }
        let authentic = plaintext.withUnsafeMutableBytes { room in
            stream.contexts.decrypt(header, envelope, into: UnsafeMutableRawBufferPointer(rebasing: room[..<length]))
        }
        guard authentic else { throw .notAuthentic }
        remember(stream)
        return try Opener.unpack(length, of: plaintext, stream, header, envelope, &decompressor)
    }

    /// What follows once the body is authentic: structure, code, then the batch.
    private static func unpack(
        _ length: Int, of plaintext: borrowing SecretBytes, _ stream: RememberedStream, _ header: Header,
        _ envelope: UnsafeRawBufferPointer, _ decompressor: inout Decompressor
    ) throws(OpenError) -> [UInt8] {
        try plaintext.withUnsafeBytes { (plaintext) throws(OpenError) -> [UInt8] in
            let body = UnsafeRawBufferPointer(rebasing: plaintext[..<length])
            let part = try stream.contexts.check(header, envelope, body)
            do throws(EnvelopeError) {
                return try decompressor.unpack(part)
            } catch {
                throw .damagedBatch(error)
            }
        }
    }

    private mutating func remembered(_ place: StreamPlace) -> RememberedStream? {
        guard let index = places[place] else { return nil }
        return streams[index]
    }

    /// Marks the stream as used last; takes the place of the one that has been unused longest where all are taken.
    private mutating func remember(_ stream: RememberedStream) {
        uses &+= 1
        stream.lastUse = uses
        guard places[stream.place] == nil else { return }
        if streams.count < capacity {
            places[stream.place] = streams.count
            streams.append(stream)
        } else if let oldest = streams.indices.min(by: { streams[$0].lastUse < streams[$1].lastUse }) {
            places[streams[oldest].place] = nil
            places[stream.place] = oldest
            streams[oldest] = stream
        }
    }
}
