import Crypto
import Envelope

/// Names the kind of a message and the layout of its fields, inside the sealing: whoever opens it knows that the
/// sender meant these fields and no others.
enum StructureCode {
    static let size = 8

    /// How the security code is made; everything else is the same. See ``StreamContexts``.
    enum Version: Int, CaseIterable {
        /// Read only: what was sealed before there was the second.
        case first = 1
        case second = 2
    }

    /// The agreed text of a kind; docs/protocol.md shows the same.
    static func text(_ kind: Header.Kind, _ version: Version) -> String {
        let content =
            switch kind {
            case .data: "record batch"
            case .receipt: "receipt"
            case .expiry: "expiry notice"
            }
        let code =
            switch version {
            case .first: "security code 16"
            case .second: "security code 16 by digest"
            }
        let fields = "structure code 8, codec 1, uncompressed length 4, \(content), \(code)"
        return "gridrelay \(kind) v\(version.rawValue): \(fields)"
    }

    /// The first 8 bytes of SHA-256 of the text.
    static func bytes(_ kind: Header.Kind, _ version: Version = .second) -> [UInt8] {
        let codes = version == .second ? second : first
        return switch kind {
        case .data: codes.data
        case .receipt: codes.receipt
        case .expiry: codes.expiry
        }
    }

    /// The version whose code of this kind stands at the beginning of `head`; nil where none does.
    static func version(of head: UnsafeRawBufferPointer, _ kind: Header.Kind) -> Version? {
        if head[..<size].elementsEqual(bytes(kind, .second)) { return .second }
        return head[..<size].elementsEqual(bytes(kind, .first)) ? .first : nil
    }

    private typealias Codes = (data: [UInt8], receipt: [UInt8], expiry: [UInt8])
    private static let first = make(.first)
    private static let second = make(.second)

    private static func make(_ version: Version) -> Codes {
        func code(_ kind: Header.Kind) -> [UInt8] { Array(Digest.sha256(Array(text(kind, version).utf8))[..<size]) }
        return (code(.data), code(.receipt), code(.expiry))
    }
}

/// The layout of a body, before and after sealing.
public enum SealedBody {
    /// Bytes that an envelope has beside a batch that is not compressed.
    public static let envelopeOverhead = Header.size + overhead + Compression.headSize
    /// Bytes of the security code: the first half of the HMAC.
    static let codeSize = 16
    /// Data of so many bytes goes into the code by its digest: below, a digest takes longer than it saves.
    static let digestedFrom = 384
    /// Bytes before the data: structure code, codec and uncompressed length.
    static let headSize = StructureCode.size + Compression.headSize
    typealias Head = InlineArray<13, UInt8>
    /// Bytes that a body has beside its compressed part.
    static let overhead = StructureCode.size + codeSize + AEADKey.overhead
}
