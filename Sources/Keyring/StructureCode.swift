import Crypto
import Envelope

/// Names the kind of a message and the layout of its fields, inside the sealing: whoever opens it knows that the
/// sender meant these fields and no others.
enum StructureCode {
    static let size = 8

    /// The agreed text of a kind; docs/protocol.md shows the same.
    static func text(_ kind: Header.Kind) -> String {
        let content =
            switch kind {
            case .data: "record batch"
            case .receipt: "receipt"
            case .expiry: "expiry notice"
            }
        return "gridrelay \(kind) v1: structure code 8, codec 1, uncompressed length 4, \(content), security code 16"
    }

    /// The first 8 bytes of SHA-256 of the text.
    static func bytes(_ kind: Header.Kind) -> [UInt8] {
        switch kind {
        case .data: data
        case .receipt: receipt
        case .expiry: expiry
        }
    }

    private static let data = make(.data)
    private static let receipt = make(.receipt)
    private static let expiry = make(.expiry)

    private static func make(_ kind: Header.Kind) -> [UInt8] {
        Array(Digest.sha256(Array(text(kind).utf8))[..<size])
    }
}

/// The layout of a body, before and after sealing.
public enum SealedBody {
    /// Bytes that an envelope has beside a batch that is not compressed.
    public static let envelopeOverhead = Header.size + overhead + Compression.headSize
    /// Bytes of the security code: the first half of the HMAC.
    static let codeSize = 16
    /// Bytes before the data: structure code, codec and uncompressed length.
    static let headSize = StructureCode.size + Compression.headSize
    typealias Head = InlineArray<13, UInt8>
    /// Bytes that a body has beside its compressed part.
    static let overhead = StructureCode.size + codeSize + AEADKey.overhead
}
