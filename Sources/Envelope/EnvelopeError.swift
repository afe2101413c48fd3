/// Why bytes are not an envelope or a record batch, or why a record does not fit into one.
public enum EnvelopeError: Error, Equatable, Sendable, CustomStringConvertible {
    // MARK: Header

    /// Fewer bytes than the part needs.
    case truncated(needed: Int, present: Int)
    case unknownVersion(UInt8)
    case unknownKind(UInt8)
    case unknownLane(UInt8)
    case wrongChecksum
    case bodyTooLong(Int)
    case zeroLifetime
    case zeroSequence
    /// The floor lies above the sequence of its own envelope, which has no receipt yet.
    case floorAboveSequence
    /// Reserved bytes that this version writes as zero are not.
    case reservedNotZero
    /// The header's body length differs from the bytes that follow it.
    case wrongBodyLength(declared: Int, present: Int)

    // MARK: Record batch

    /// A topic is 1 to ``Limits/topicBytes`` bytes of UTF-8.
    case illegalTopic
    case notABatch
    case malformedReceipt
    case unknownBatchVersion(UInt8)
    case unknownBatchAttributes(UInt16)
    /// The record at this place (from 0) has a length that leads out of it, or does not fill it.
    case malformedRecord(index: Int)
    /// The head counts other records than there are.
    case wrongRecordCount(declared: Int, present: Int)
    /// The record would not fit even into a batch of its own.
    case recordTooLong(bytes: Int)
    /// The record fits into a batch, not into what is left of this one.
    case batchFull

    // MARK: Compression

    case unknownCodec(UInt8)
    /// The declared uncompressed length is above ``Limits/batchBytes``.
    case declaredTooLong(Int)
    /// What was decompressed has another length than was declared.
    case wrongUncompressedLength(declared: Int)
    case damagedCompression(Compression)

    public var description: String {
        switch self {
        case .truncated(let needed, let present): "\(present) bytes where \(needed) are needed; the rest is missing"
        case .unknownVersion(let version): "envelope version \(version) is not known here; update this node"
        case .unknownKind(let kind): "envelope kind \(kind) is not known here; update this node"
        case .unknownLane(let lane): "lane \(lane) is not known here; lanes are control 0, live 1, bulk 2"
        case .wrongChecksum: "the header's checksum does not match its bytes; it was damaged on the way"
        case .bodyTooLong(let bytes): "a body of \(bytes) bytes is above the limit of \(Limits.bodyBytes)"
        case .zeroLifetime: "the lifetime is zero seconds; it must be at least one"
        case .zeroSequence: "the sequence is zero; a stream begins with one"
        case .floorAboveSequence: "the floor lies above the sequence of its own envelope"
        case .reservedNotZero: "reserved bytes are not zero; the peer speaks another version"
        case .wrongBodyLength(let declared, let present):
            "the header declares a body of \(declared) bytes, but \(present) follow"
        default: batchDescription
        }
    }

    private var batchDescription: String {
        switch self {
        case .illegalTopic: "a topic has 1 to \(Limits.topicBytes) bytes of UTF-8"
        case .malformedReceipt: "the body of a receipt is malformed"
        case .notABatch: "the bytes do not begin as a record batch does"
        case .unknownBatchVersion(let version): "record batch version \(version) is not known here; update this node"
        case .unknownBatchAttributes(let bits): "record batch attributes \(bits) are not known here; update this node"
        case .malformedRecord(let index): "record \(index) of the batch is malformed: a length leads out of it"
        case .wrongRecordCount(let declared, let present):
            "the batch declares \(declared) records, but \(present) are there"
        case .recordTooLong(let bytes):
            "a record of \(bytes) bytes is above the limit of \(Limits.batchBytes); send it in chunks"
        case .batchFull: "the record does not fit into what is left of the batch; put it into the next one"
        case .unknownCodec(let codec): "compression \(codec) is not known here; known are none 0, zlib 1, zstd 2"
        case .declaredTooLong(let bytes):
            "a batch that declares \(bytes) bytes uncompressed is above the limit of \(Limits.batchBytes)"
        case .wrongUncompressedLength(let declared):
            "what was decompressed is not the \(declared) bytes that were declared"
        case .damagedCompression(let codec): "the bytes compressed with \(codec) are damaged"
        default: "malformed envelope"
        }
    }
}
