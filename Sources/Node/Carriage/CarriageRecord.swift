import Envelope
import Mesh

/// One record of what is carried by hand between nodes: of a file on a medium, and of an answer over the admin socket.
/// docs/formats/carriage.md has the layout.
public enum CarriageRecord {
    /// A node that envelopes behind it are from or for.
    case name(NodeName)
    /// An envelope as it is sealed, header and body.
    case envelope(HopFields, UnsafeRawBufferPointer)
    /// The last record of a file: how many envelopes are before it, and their bytes.
    case end(envelopes: UInt64, bytes: UInt64)
    /// What a node has, for those who choose what to carry. In answers only.
    case stored([DurableCopies.Copy])
    /// Of a later version.
    case unknown(UInt8)

    /// What a file begins with.
    public static let magic = Array("GRCARRY1".utf8)
    /// Bytes of a payload at most: an envelope's.
    public static let longestPayload = HopFields.size + Header.size + Limits.bodyBytes
    /// Copies in one record at most.
    public static let copiesEach = 100_000
    fileprivate static let copyBytes = 12

    enum Kind: UInt8 {
        case name = 1
        case envelope = 2
        case end = 3
        case stored = 4
    }
}

/// The front of a record: 16 bytes with a checksum of their own, so that a damaged payload costs only itself.
public struct CarriageHead: Equatable, Sendable {
    public static let size = 16

    public var kind: UInt8
    /// Bytes of the payload behind it.
    public var length: Int
    var checksum: UInt32

    /// - Returns: nil for what is no head: nothing behind it can be read.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard let kind = reader.integer(UInt8.self), let zeros = reader.run(3), zeros.allSatisfy({ $0 == 0 }),
            let length = reader.integer(UInt32.self), let checksum = reader.integer(UInt32.self),
            let own = reader.integer(UInt32.self),
            own == CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: bytes[..<12])),
            length <= CarriageRecord.longestPayload
        else { return nil }
        self.kind = kind
        self.length = Int(length)
        self.checksum = checksum
    }

    /// - Returns: nil for a damaged payload.
    public func record(_ payload: UnsafeRawBufferPointer) -> CarriageRecord? {
        guard payload.count == length, CRC32C.checksum(of: payload) == checksum else { return nil }
        var reader = ByteReader(payload)
        switch CarriageRecord.Kind(rawValue: kind) {
        case .name:
            guard let text = String(validating: payload, as: UTF8.self), let name = try? NodeName(text) else {
                return nil
            }
            return .name(name)
        case .envelope:
            guard let bytes = reader.run(HopFields.size), let hop = try? HopFields(bytes),
                let envelope = reader.run(reader.remaining)
            else { return nil }
            return .envelope(hop, envelope)
        case .end:
            guard let envelopes = reader.integer(UInt64.self), let bytes = reader.integer(UInt64.self),
                reader.remaining == 0
            else { return nil }
            return .end(envelopes: envelopes, bytes: bytes)
        case .stored:
            guard payload.count.isMultiple(of: CarriageRecord.copyBytes) else { return nil }
            var copies: [DurableCopies.Copy] = []
            copies.reserveCapacity(payload.count / CarriageRecord.copyBytes)
            while let stored = reader.integer(UInt64.self), let length = reader.integer(UInt32.self) {
                copies.append(.init(stored: stored, length: Int(length)))
            }
            return .stored(copies)
        case nil: return .unknown(kind)
        }
    }
}

// MARK: Writing

extension ByteQueue {
    /// - Precondition: an envelope within ``Limits/bodyBytes``; at most ``CarriageRecord/copiesEach`` copies; not of an
    ///   unknown kind.
    public mutating func append(_ record: CarriageRecord) {
        switch record {
        case .name(let name):
            let text = Array(name.description.utf8)
            text.withUnsafeBytes { append(.name, [$0]) }
        case .envelope(let hop, let envelope): hop.encoded.withUnsafeBytes { append(.envelope, [$0, envelope]) }
        case .end(let envelopes, let bytes):
            withUnsafeBytes(of: (envelopes.littleEndian, bytes.littleEndian)) { append(.end, [$0]) }
        case .stored(let copies):
            var payload = ByteQueue()
            for copy in copies {
                payload.append(copy.stored)
                payload.append(UInt32(copy.length))
            }
            append(.stored, [payload.readable])
        case .unknown: preconditionFailure("only what is known is written")
        }
    }

    private mutating func append(_ kind: CarriageRecord.Kind, _ parts: [UnsafeRawBufferPointer]) {
        let length = parts.reduce(0) { $0 + $1.count }
        precondition(length <= CarriageRecord.longestPayload, "a record has a bound")
        var checksum: UInt32 = 0
        for part in parts { checksum = CRC32C.extend(checksum, part) }
        var head = ByteQueue()
        head.append(UInt32(kind.rawValue))
        head.append(UInt32(length))
        head.append(checksum)
        head.append(CRC32C.checksum(of: head.readable))
        append(head.readable)
        for part in parts { append(part) }
    }
}
