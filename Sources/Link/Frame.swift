import Envelope

/// What a frame carries. The numbers are the protocol's; see docs/protocol.md.
enum FrameKind: UInt8 {
    case hello = 1
    case data = 2
    case custody = 3
    case refuse = 4
    case ping = 5
    case pong = 6
    case mesh = 7
    case bye = 8
}

/// Eight bytes before every frame: payload length, kind, flags, two bytes of zero.
struct FrameHeader {
    static let size = 8

    var length: Int
    var kind: FrameKind
    var flags: UInt8

    /// - Parameter bytes: at least ``size`` bytes.
    /// - Throws: ``SessionError`` for a kind nobody speaks or a length beyond `limit`: nothing is allocated for it.
    init(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(SessionError) {
        let length = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard let kind = FrameKind(rawValue: bytes[4]) else { throw .unknownFrame(bytes[4]) }
        guard length <= limit else { throw .frameTooLong(Int(length), limit: limit) }
        guard bytes[6] == 0, bytes[7] == 0 else { throw .malformed("a frame header has reserved bits set") }
        self.length = Int(length)
        self.kind = kind
        self.flags = bytes[5]
    }
}

/// The first 24 bytes of a data frame's payload.
struct DataPrefix {
    static let size = 24

    var transmission: UInt64
    /// Bytes of the whole envelope, header and body.
    var total: Int
    /// Where this fragment lies in the envelope.
    var offset: Int
    var hop: HopFields

    init(transmission: UInt64, total: Int, offset: Int, hop: HopFields) {
        self.transmission = transmission
        self.total = total
        self.offset = offset
        self.hop = hop
    }

    /// - Parameters:
    ///   - payload: its beginning at least.
    ///   - length: bytes of the whole payload.
    init(_ payload: UnsafeRawBufferPointer, of length: Int) throws(SessionError) {
        guard length > Self.size else { throw .malformed("a data frame without an envelope") }
        transmission = UInt64(littleEndian: payload.loadUnaligned(as: UInt64.self))
        total = Int(UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        offset = Int(UInt32(littleEndian: payload.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
        do {
            hop = try HopFields(UnsafeRawBufferPointer(rebasing: payload[16..<24]))
        } catch {
            throw .malformed("a data frame with broken hop fields")
        }
    }

    func write(to place: UnsafeMutableRawBufferPointer) {
        place.storeBytes(of: transmission.littleEndian, as: UInt64.self)
        place.storeBytes(of: UInt32(total).littleEndian, toByteOffset: 8, as: UInt32.self)
        place.storeBytes(of: UInt32(offset).littleEndian, toByteOffset: 12, as: UInt32.self)
        hop.encode(into: UnsafeMutableRawBufferPointer(rebasing: place[16..<24]))
    }
}

/// Flags of a data frame: bits 0 and 1 tell its lane, bit 2 the last fragment of its envelope.
enum DataFlags {
    static let last: UInt8 = 4
    static let laneMask: UInt8 = 3
    static let known: UInt8 = 7
}

extension ByteQueue {
    /// Writes a frame whose payload is made by `body`, and fills in its length afterwards.
    mutating func appendFrame(_ kind: FrameKind, flags: UInt8 = 0, _ body: (inout ByteQueue) -> Void) {
        let before = count
        append(UInt32(0))
        append(kind.rawValue)
        append(flags)
        append(UInt16(0))
        body(&self)
        patch(UInt32(count - before - FrameHeader.size), at: before)
    }
}
