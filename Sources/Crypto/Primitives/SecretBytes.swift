import COpenSSL

/// Bytes that must not outlive their use: a key, a seed, a shared secret.
///
/// One owner; the memory is overwritten before it is given back. Never printed, compared or hashed by accident.
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    // Unchecked: the memory has one owner and is only changed through exclusive access to it.
    private let storage: UnsafeMutableRawBufferPointer

    /// Zeroes, to be written with ``withUnsafeMutableBytes(_:)``.
    public init(zeroed count: Int) {
        storage = .allocate(byteCount: count, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Takes a copy; wiping the original is the caller's.
    public init(copying bytes: UnsafeRawBufferPointer) {
        storage = .allocate(byteCount: bytes.count, alignment: 16)
        storage.copyMemory(from: bytes)
    }

    public init(copying bytes: borrowing RawSpan) {
        self = bytes.withUnsafeBytes { SecretBytes(copying: $0) }
    }

    public init(copying bytes: [UInt8]) {
        self = bytes.withBytes { SecretBytes(copying: $0) }
    }

    /// Fresh bytes from OpenSSL's generator for private values.
    public init(random count: Int) {
        self.init(zeroed: count)
        guard count > 0 else { return }
        OpenSSL.require(RAND_priv_bytes(storage.baseAddress, Int32(count)), "random bytes")
    }

    deinit {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    public var count: Int { storage.count }

    /// A second owner of the same bytes, asked for by name because each copy is one more to guard.
    public func copy() -> SecretBytes { SecretBytes(copying: UnsafeRawBufferPointer(storage)) }

    /// Lends the bytes for the time of the call.
    public func withUnsafeBytes<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(storage))
    }

    /// Lends the bytes for writing for the time of the call.
    public mutating func withUnsafeMutableBytes<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(storage)
    }
}

/// Compares in a time that depends on the lengths only, so that a guesser learns nothing from how long it took.
public func constantTimeEquals(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
    return CRYPTO_memcmp(first, second, left.count) == 0
}

public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBytes { left in right.withUnsafeBytes { constantTimeEquals(left, $0) } }
}

public func constantTimeEquals(_ left: borrowing SecretBytes, _ right: borrowing SecretBytes) -> Bool {
    left.withUnsafeBytes { left in right.withUnsafeBytes { constantTimeEquals(left, $0) } }
}
