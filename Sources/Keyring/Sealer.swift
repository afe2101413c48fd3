import Crypto
import Envelope

/// Why a batch is not sealed.
public enum SealError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The batch is above ``Limits/batchBytes``.
    case batchTooLong(Int)
    /// The sequence was sealed before, or is zero. What was sealed is sent again as it is, never sealed again.
    case sequenceNotRising(Sequence, last: Sequence)
    /// The stream has sealed as much as one key may; the source begins a new stream.
    case streamExhausted
    /// A field of the header breaks a rule.
    case header(EnvelopeError)

    public var description: String {
        switch self {
        case .batchTooLong(let bytes):
            "a batch of \(bytes) bytes is above the limit of \(Limits.batchBytes); send it in chunks"
        case .sequenceNotRising(let sequence, let last):
            "sequence \(sequence) is not above \(last); an envelope is sent again as it was sealed"
        case .streamExhausted:
            "the stream has used up its key's \(Limits.streamEnvelopes) envelopes; begin a new stream"
        case .header(let error): error.description
        }
    }
}

/// Seals the batches of one stream. Holds all contexts, so that a batch costs no set-up.
///
/// Invariant: each sequence is sealed once at most, so that no nonce is used twice under the stream's key.
/// Error contract: a throw leaves the sealer and the output as they were.
public struct Sealer: ~Copyable, Sendable {
    public let source: NodeID
    public let destination: NodeID
    public let stream: StreamID
    public let key: KeyID

    private var contexts: StreamContexts
    private var compressor = Compressor()
    private var last = Sequence.none

    /// - Parameter stream: fresh random bytes, never used before.
    public init(_ keys: PairKeys, from source: NodeID, to destination: NodeID, stream: StreamID) {
        (self.source, self.destination, self.stream, key) = (source, destination, stream, keys.id)
        contexts = StreamContexts(keys, from: source, to: destination, stream: stream)
    }

    /// Appends the whole envelope, header and sealed body, to `output`.
    ///
    /// - Parameters:
    ///   - batch: a record batch, or what another kind of envelope holds.
    ///   - lifetime: seconds, at least 1.
    public mutating func seal(
        _ batch: RawSpan, kind: Header.Kind = .data, sequence: Sequence, floor: Sequence, created: WallTime,
        lifetime: UInt32, lane: Lane, compression: Compression = .none, into output: inout [UInt8]
    ) throws(SealError) {
        guard batch.byteCount <= Limits.batchBytes else { throw .batchTooLong(batch.byteCount) }
        guard sequence > last else { throw .sequenceNotRising(sequence, last: last) }
        guard sequence.number <= Limits.streamEnvelopes else { throw .streamExhausted }
        var header = Header(
            kind: kind, lane: lane, source: source, destination: destination, stream: stream, sequence: sequence,
            floor: floor, created: created, lifetime: lifetime, key: key, bodyLength: 0)
        do throws(EnvelopeError) { try header.check() } catch { throw .header(error) }
        last = sequence

        let start = output.count
        let body = start + Header.size
        output.append(contentsOf: repeatElement(0, count: Header.size))
        output.append(contentsOf: StructureCode.bytes(kind))
        compressor.pack(batch, with: compression, into: &output)
        let codePlace = output.count
        output.append(contentsOf: repeatElement(0, count: SealedBody.codeSize + AEADKey.overhead))
        header.bodyLength = UInt32(output.count - body)
        output.withUnsafeMutableBytes { output in
            let envelope = UnsafeMutableRawBufferPointer(rebasing: output[start...])
            header.encode(into: envelope)
            finish(envelope, codePlace: codePlace - start, sequence: sequence)
        }
    }

    public mutating func seal(
        _ batch: [UInt8], kind: Header.Kind = .data, sequence: Sequence, floor: Sequence, created: WallTime,
        lifetime: UInt32, lane: Lane, compression: Compression = .none, into output: inout [UInt8]
    ) throws(SealError) {
        try seal(
            batch.span.bytes, kind: kind, sequence: sequence, floor: floor, created: created, lifetime: lifetime,
            lane: lane, compression: compression, into: &output)
    }

    /// Writes the security code behind the compressed part, then seals the body where it lies.
    private mutating func finish(_ envelope: UnsafeMutableRawBufferPointer, codePlace: Int, sequence: Sequence) {
        let header = UnsafeRawBufferPointer(rebasing: envelope[..<Header.size])
        let dataPlace = Header.size + SealedBody.headSize
        let head = UnsafeRawBufferPointer(rebasing: envelope[Header.size..<dataPlace])
        let data = UnsafeRawBufferPointer(rebasing: envelope[dataPlace..<codePlace])
        contexts.withCode(.second, header, head, data) { code in
            UnsafeMutableRawBufferPointer(rebasing: envelope[codePlace...]).copyMemory(from: code)
        }
        let body = UnsafeMutableRawBufferPointer(rebasing: envelope[Header.size...])
        let plaintext = UnsafeRawBufferPointer(rebasing: body[..<(body.count - AEADKey.overhead)])
        do throws(CryptoError) {
            try contexts.traffic.seal(
                nonce: Nonce(counter: sequence.number), authenticating: header, plaintext: plaintext, into: body)
        } catch {
            preconditionFailure("the body has room for its tag")
        }
    }
}
