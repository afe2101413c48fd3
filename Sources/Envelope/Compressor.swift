import CZlib
import CZstd

/// Compresses one batch after the other with contexts that are made once: making one costs more than compressing
/// a small batch.
///
/// Unchecked, since the compiler does not know that the contexts are owned here alone; they are, and whoever has
/// the value may use it on any thread, one at a time.
public struct Compressor: ~Copyable, @unchecked Sendable {
    /// The level each library takes when it is not told another.
    static let zlibLevel: Int32 = 6
    static let zstdLevel: Int32 = 3

    // On the heap, since zlib keeps the address of its stream.
    private var deflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?

    public init() {}

    deinit {
        if let deflater {
            deflateEnd(deflater)
            deflater.deallocate()
        }
        ZSTD_freeCCtx(zstd)
    }

    /// Appends codec, uncompressed length and data. Where `codec` does not make the bytes smaller, they are
    /// appended as they are, as codec `none`.
    /// - Precondition: `bytes` are at most ``Limits/batchBytes``.
    /// - Returns: the codec that was used.
    @discardableResult
    public mutating func pack(_ bytes: RawSpan, with codec: Compression, into part: inout [UInt8]) -> Compression {
        bytes.withUnsafeBytes { pack($0, with: codec, into: &part) }
    }

    @discardableResult
    public mutating func pack(
        _ bytes: UnsafeRawBufferPointer, with codec: Compression, into part: inout [UInt8]
    ) -> Compression {
        precondition(bytes.count <= Limits.batchBytes, "a batch is cut to its limit before it is compressed")
        let start = part.count
        part.append(codec.rawValue)
        withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { part.append(contentsOf: $0) }
        guard codec != .none, !bytes.isEmpty else { return store(bytes, at: start, in: &part) }

        // Room for one byte less than there is: what does not fit there has not become smaller.
        let dataStart = part.count
        part.append(contentsOf: repeatElement(0, count: bytes.count - 1))
        let written = part.withUnsafeMutableBytes { part in
            let room = UnsafeMutableRawBufferPointer(rebasing: part[dataStart...])
            return codec == .zlib ? deflate(bytes, into: room) : compressZstd(bytes, into: room)
        }
        part.removeLast(part.count - dataStart - (written ?? 0))
        return written == nil ? store(bytes, at: start, in: &part) : codec
    }

    private func store(_ bytes: UnsafeRawBufferPointer, at start: Int, in part: inout [UInt8]) -> Compression {
        part[start] = Compression.none.rawValue
        part.append(contentsOf: bytes)
        return .none
    }

    /// nil where the result does not fit, or where there is no memory for a context.
    private mutating func deflate(
        _ bytes: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let stream = deflateStream() else { return nil }
        // zlib does not write to its input, though its interface does not say so.
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(bytes.count)
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room.count)
        guard CZlib.deflate(stream, Z_FINISH) == Z_STREAM_END else { return nil }
        return room.count - Int(stream.pointee.avail_out)
    }

    private mutating func deflateStream() -> UnsafeMutablePointer<z_stream>? {
        if let deflater { return deflateReset(deflater) == Z_OK ? deflater : nil }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit_(stream, Compressor.zlibLevel, ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            return nil
        }
        deflater = stream
        return stream
    }

    private mutating func compressZstd(
        _ bytes: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        if zstd == nil { zstd = ZSTD_createCCtx() }
        guard let zstd else { return nil }
        let written = ZSTD_compressCCtx(
            zstd, room.baseAddress, room.count, bytes.baseAddress, bytes.count, Compressor.zstdLevel)
        return ZSTD_isError(written) == 0 ? written : nil
    }
}
