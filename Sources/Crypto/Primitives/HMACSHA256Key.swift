import COpenSSL

/// HMAC-SHA-256 (RFC 2104) under one key, keyed once and started anew for each message.
public struct HMACSHA256Key: ~Copyable, @unchecked Sendable {
    /// Bytes of a code.
    public static let codeBytes = 32

    // Unchecked: the context has one owner and is only used through exclusive access to it.
    private let context: OpaquePointer

    private nonisolated(unsafe) static let algorithm = OpenSSL.require(EVP_MAC_fetch(nil, "HMAC", nil), "HMAC")

    /// A key of any length; 32 bytes or more are wanted for full strength.
    public init(_ key: borrowing SecretBytes) {
        self = key.withUnsafeBytes { HMACSHA256Key($0) }
    }

    /// For keys that are no secret, such as the salt of HKDF.
    public init(_ key: UnsafeRawBufferPointer) {
        context = OpenSSL.require(EVP_MAC_CTX_new(Self.algorithm), "HMAC")
        var name = Array("SHA256".utf8CString)
        // OpenSSL takes a null key for "keep the key", so that an empty key still needs an address.
        var nothing: UInt8 = 0
        // A parameter keeps the address of its own name, too, so a string made for the call alone will not do.
        Array(OSSL_MAC_PARAM_DIGEST.utf8CString).withUnsafeBufferPointer { digest in
            name.withUnsafeMutableBufferPointer { name in
                var parameters = [
                    OSSL_PARAM_construct_utf8_string(digest.baseAddress, name.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                let start = key.assumingMemoryBound(to: UInt8.self).baseAddress
                let status =
                    start == nil
                    ? EVP_MAC_init(context, &nothing, 0, &parameters)
                    : EVP_MAC_init(context, start, key.count, &parameters)
                OpenSSL.require(status, "HMAC")
            }
        }
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// Adds bytes to the message under way.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        OpenSSL.require(EVP_MAC_update(context, start, bytes.count), "HMAC")
    }

    public mutating func update(_ bytes: borrowing RawSpan) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Writes the message's code to the first 32 bytes of `output` and begins the next message.
    /// - Throws: ``CryptoError/outputTooSmall(needed:given:)``; the message is then still under way.
    public mutating func finish(into output: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        guard let start = output.baseAddress, output.count >= Self.codeBytes else {
            throw .outputTooSmall(needed: Self.codeBytes, given: output.count)
        }
        finish(to: start)
    }

    /// The message's code; the next message begins.
    public mutating func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.codeBytes) { buffer, count in
            if let start = buffer.baseAddress { finish(to: start) }
            count = Self.codeBytes
        }
    }

    private func finish(to output: UnsafeMutableRawPointer) {
        var written = 0
        let start = output.assumingMemoryBound(to: UInt8.self)
        OpenSSL.require(EVP_MAC_final(context, start, &written, Self.codeBytes), "HMAC")
        OpenSSL.require(EVP_MAC_init(context, nil, 0, nil), "HMAC")
    }

    /// The code of one message given whole.
    public mutating func code(of message: [UInt8]) -> [UInt8] {
        update(message)
        return finish()
    }

    /// Whether `code` is the code of the message under way, compared in constant time; the next message begins.
    public mutating func finish(matching code: UnsafeRawBufferPointer) -> Bool {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &words) { buffer in
            if let start = buffer.baseAddress { finish(to: start) }
            return constantTimeEquals(UnsafeRawBufferPointer(buffer), code)
        }
    }

    public mutating func finish(matching code: [UInt8]) -> Bool {
        code.withUnsafeBytes { finish(matching: $0) }
    }
}
