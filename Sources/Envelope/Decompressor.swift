import CZlib
import CZstd

/// Undoes what ``Compressor`` did, with contexts that are made once.
///
/// A bomb is refused: memory is taken for the declared length only, which is at most ``Limits/batchBytes``, and
/// decompressing stops where that is full.
public struct Decompressor: ~Copyable, @unchecked Sendable {
    private var inflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?

    public init() {}

    deinit {
        if let inflater {
            inflateEnd(inflater)
            inflater.deallocate()
        }
        ZSTD_freeDCtx(zstd)
    }

    /// Reads codec, uncompressed length and data.
    /// - Throws: ``EnvelopeError``; the contexts stay good for the next call.
    public mutating func unpack(_ part: RawSpan) throws(EnvelopeError) -> [UInt8] {
        try part.withUnsafeBytes { (part) throws(EnvelopeError) in try unpack(part) }
    }

    public mutating func unpack(_ part: UnsafeRawBufferPointer) throws(EnvelopeError) -> [UInt8] {
        let (codec, declared) = try Self.head(part)
        let data = UnsafeRawBufferPointer(rebasing: part[Compression.headSize...])
        if codec == .none {
            guard data.count == declared else { throw .wrongUncompressedLength(declared: declared) }
            return Array(data)
        }
        return try unpack(codec, declared, data)
    }

    /// The same where codec and length are parted from the data: what is stored as it is, is handed on as it is.
    /// - Parameter bytes: how long it may say it is; at most ``Limits/batchBytes``.
    public mutating func unpack(
        _ head: RawSpan, _ data: [UInt8], atMost bytes: Int = Limits.batchBytes
    ) throws(EnvelopeError) -> [UInt8] {
        let (codec, declared) = try head.withUnsafeBytes { (head) throws(EnvelopeError) in try Self.head(head) }
        guard declared <= bytes else { throw .declaredTooLong(declared) }
        if codec == .none {
            guard data.count == declared else { throw .wrongUncompressedLength(declared: declared) }
            return data
        }
        return try data.span.bytes.withUnsafeBytes { (data) throws(EnvelopeError) in try unpack(codec, declared, data) }
    }

    private static func head(_ part: UnsafeRawBufferPointer) throws(EnvelopeError) -> (Compression, declared: Int) {
        let size = Compression.headSize
        guard part.count >= size else { throw .truncated(needed: size, present: part.count) }
        guard let codec = Compression(rawValue: part[0]) else { throw .unknownCodec(part[0]) }
        let declared = Int(UInt32(littleEndian: part.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        guard declared <= Limits.batchBytes else { throw .declaredTooLong(declared) }
        return (codec, declared)
    }

    private mutating func unpack(
        _ codec: Compression, _ declared: Int, _ data: UnsafeRawBufferPointer
    ) throws(EnvelopeError) -> [UInt8] {
        var outcome = Outcome.damaged
        // One byte more than declared, so that data with more to give is told from data that ends in time.
        let bytes = [UInt8](unsafeUninitializedCapacity: declared + 1) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(buffer)
            outcome = codec == .zlib ? inflate(data, into: room) : decompressZstd(data, into: room)
            if case .whole(let written) = outcome { count = written }
        }
        switch outcome {
        case .whole(let written) where written == declared: return bytes
        case .whole, .tooLong: throw .wrongUncompressedLength(declared: declared)
        case .damaged: throw .damagedCompression(codec)
        }
    }

    private enum Outcome {
        case whole(Int)
        case tooLong
        case damaged
    }

    private mutating func inflate(
        _ data: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        guard let stream = inflateStream() else { return .damaged }
        // zlib does not write to its input, though its interface does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: data.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(data.count)
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room.count)
        let result = CZlib.inflate(stream, Z_FINISH)
        if result == Z_STREAM_END, stream.pointee.avail_in == 0 {
            return .whole(room.count - Int(stream.pointee.avail_out))
        }
        return stream.pointee.avail_out == 0 ? .tooLong : .damaged
    }

    private mutating func inflateStream() -> UnsafeMutablePointer<z_stream>? {
        if let inflater { return inflateReset(inflater) == Z_OK ? inflater : nil }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
        inflater = stream
        return stream
    }

    private mutating func decompressZstd(
        _ data: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Outcome {
        if zstd == nil { zstd = ZSTD_createDCtx() }
        guard let zstd else { return .damaged }
        let written = ZSTD_decompressDCtx(zstd, room.baseAddress, room.count, data.baseAddress, data.count)
        guard ZSTD_isError(written) != 0 else { return .whole(written) }
        return ZSTD_getErrorCode(written) == ZSTD_error_dstSize_tooSmall ? .tooLong : .damaged
    }
}
