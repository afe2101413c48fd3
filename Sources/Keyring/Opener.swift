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
    /// The one used last: mostly the next envelope is of the same.
    private var latest: RememberedStream?
    private var uses: UInt64 = 0
    private var decompressor = Decompressor()

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
        latest = nil
    }

    /// Header and sealed body in, batch out.
    public mutating func open(_ envelope: [UInt8]) throws(OpenError) -> [UInt8] {
        try open(envelope.span.bytes)
    }

    public mutating func open(_ envelope: RawSpan) throws(OpenError) -> [UInt8] {
        let header: Header
        do throws(EnvelopeError) { header = try Header(envelope) } catch { throw .malformed(error) }
        return try open(header, envelope)
    }

    /// The same for an envelope whose header was read before.
    /// - Parameters:
    ///   - envelope: what the header was read from, and its body.
    ///   - bytes: a batch that says it is longer is not unpacked: ``EnvelopeError/declaredTooLong(_:)``.
    public mutating func open(
        _ header: Header, _ envelope: RawSpan, atMost bytes: Int = Limits.batchBytes
    ) throws(OpenError) -> [UInt8] {
        guard header.envelopeLength == envelope.byteCount else {
            throw .malformed(
                .wrongBodyLength(declared: Int(header.bodyLength), present: envelope.byteCount - Header.size))
        }
        let least = SealedBody.overhead + Compression.headSize
        guard header.bodyLength >= least else {
            throw .malformed(.truncated(needed: least, present: Int(header.bodyLength)))
        }
        guard header.destination == keychain.holderID else { throw .wrongAddress(header.destination) }
        let stream = try stream(of: header)
        return try envelope.withUnsafeBytes { (envelope) throws(OpenError) in
            try open(header, stream, envelope, atMost: bytes)
        }
    }

    /// The contexts of the header's stream.
    private func stream(of header: Header) throws(OpenError) -> RememberedStream {
        let place = StreamPlace(source: header.source, stream: header.stream, key: header.key)
        // What is remembered was found in this keychain.
        if let latest, latest.place == place { return latest }
        let keys = try keychain.opening(header.key, from: header.source)
        if let index = places[place] { return streams[index] }
        return RememberedStream(place, keys, destination: header.destination)
    }

    /// Decrypts, and checks what is authentic: structure, code, then the batch. Bytes that are not compressed are where
    /// they belong then.
    private mutating func open(
        _ header: Header, _ stream: RememberedStream, _ envelope: UnsafeRawBufferPointer, atMost bytes: Int
    ) throws(OpenError) -> [UInt8] {
        let count = Int(header.bodyLength) - AEADKey.overhead - SealedBody.headSize
        var head = SealedBody.Head(repeating: 0)
        var failure: OpenError?
        let data = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
            failure = withUnsafeMutableBytes(of: &head) { stream.contexts.open(header, envelope, into: $0, rest) }
            used = failure == nil ? count - SealedBody.codeSize : 0
        }
        if failure != .notAuthentic { remember(stream) }
        if let failure { throw failure }
        do throws(EnvelopeError) {
            return try decompressor.unpack(
                head.span.bytes.extracting(last: Compression.headSize), data, atMost: bytes)
        } catch {
            throw .damagedBatch(error)
        }
    }

    /// Marks the stream as used last; takes the place of the one that has been unused longest where all are taken.
    private mutating func remember(_ stream: RememberedStream) {
        uses &+= 1
        stream.lastUse = uses
        guard latest !== stream else { return }
        latest = stream
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
