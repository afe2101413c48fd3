/// How a record batch is made smaller before it is sealed.
public enum Compression: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    case none = 0
    /// The zlib format of RFC 1950.
    case zlib = 1
    /// One frame of RFC 8878.
    case zstd = 2

    public var description: String {
        switch self {
        case .none: "none"
        case .zlib: "zlib"
        case .zstd: "zstd"
        }
    }

    /// Reads the word a configuration uses; nil for anything else.
    public init?(_ word: some StringProtocol) {
        guard let codec = Compression.allCases.first(where: { $0.description == word }) else { return nil }
        self = codec
    }
}

extension Compression {
    /// Bytes before the data of a compressed part: the codec, then the uncompressed length.
    public static let headSize = 5

    /// Compresses with a context made for this call; those who do it often keep a ``Compressor``.
    /// - Returns: codec, uncompressed length and data.
    public static func pack(_ bytes: [UInt8], with codec: Compression) -> [UInt8] {
        var compressor = Compressor()
        var part: [UInt8] = []
        compressor.pack(bytes.span.bytes, with: codec, into: &part)
        return part
    }

    /// Undoes ``pack(_:with:)`` with a context made for this call; those who do it often keep a ``Decompressor``.
    public static func unpack(_ part: [UInt8]) throws(EnvelopeError) -> [UInt8] {
        var decompressor = Decompressor()
        return try decompressor.unpack(part.span.bytes)
    }
}
