/// Twelve bytes that are used once under a key.
@frozen
public struct Nonce: Hashable, Sendable {
    public static let byteCount = 12

    // Three words without padding, so that the value's memory is the nonce itself.
    let words: (UInt32, UInt32, UInt32)

    /// Four bytes that keep users of one key apart, then a counter; both big-endian.
    public init(prefix: UInt32 = 0, counter: UInt64) {
        words = (
            prefix.bigEndian, UInt32(truncatingIfNeeded: counter >> 32).bigEndian,
            UInt32(truncatingIfNeeded: counter).bigEndian
        )
    }

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` unless there are twelve bytes.
    public init(_ bytes: UnsafeRawBufferPointer) throws(CryptoError) {
        guard bytes.count == Self.byteCount else {
            throw .wrongLength(what: "a nonce", expected: Self.byteCount, actual: bytes.count)
        }
        words = (
            bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self),
            bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
            bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        )
    }

    public init(_ bytes: [UInt8]) throws(CryptoError) {
        self = try bytes.withBytes { (raw) throws(CryptoError) in try Nonce(raw) }
    }

    /// The twelve bytes in wire order.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        Swift.withUnsafeBytes(of: words, body)
    }

    public static func == (left: Nonce, right: Nonce) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
    }
}
