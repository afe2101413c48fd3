import COpenSSL

/// The keyed digest GMAC (NIST SP 800-38D) with AES-256 under one key and the nonce of zeros.
///
/// Five times as fast as HMAC, and to be used for one thing: as the digest of a long message inside an ``HMACSHA256Key``'s
/// code. Two messages of n bytes, chosen by whoever does not have the key, have the same tag with a probability of at
/// most (n / 16 + 2) / 2^128. That needs no fresh nonce, as long as nobody sees a tag.
public struct GMACKey: ~Copyable, @unchecked Sendable {
    /// Bytes of the key.
    public static let keyBytes = 32
    public typealias Tag = InlineArray<16, UInt8>

    // Unchecked: the context has one owner and is only used through exclusive access to it.
    private let context: OpaquePointer

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` unless the key has 32 bytes.
    public init(_ key: borrowing SecretBytes) throws(CryptoError) {
        guard key.count == Self.keyBytes else {
            throw .wrongLength(what: "a GMAC key", expected: Self.keyBytes, actual: key.count)
        }
        context = OpenSSL.require(EVP_CIPHER_CTX_new(), "a cipher context")
        key.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            OpenSSL.require(EVP_EncryptInit_ex2(context, AEADKey.algorithm, start, nil, nil), "GMAC")
        }
    }

    /// Frees the context; OpenSSL wipes the key in it.
    deinit { EVP_CIPHER_CTX_free(context) }

    /// - Precondition: less than 2 GiB.
    public mutating func tag(of message: UnsafeRawBufferPointer) -> Tag {
        Nonce(counter: 0).withUnsafeBytes { bytes in
            let nonce = bytes.bindMemory(to: UInt8.self).baseAddress
            OpenSSL.require(EVP_EncryptInit_ex2(context, nil, nil, nonce, nil), "GMAC")
        }
        var (unused, written): (UInt8, Int32) = (0, 0)
        if let start = message.assumingMemoryBound(to: UInt8.self).baseAddress, message.count > 0 {
            OpenSSL.require(EVP_EncryptUpdate(context, nil, &written, start, Int32(message.count)), "GMAC")
        }
        OpenSSL.require(EVP_EncryptFinal_ex(context, &unused, &written), "GMAC")
        var tag = Tag(repeating: 0)
        withUnsafeMutableBytes(of: &tag) { tag in
            let got = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tag.count), tag.baseAddress)
            OpenSSL.require(got, "GMAC")
        }
        return tag
    }

    public mutating func tag(of message: [UInt8]) -> Tag {
        message.withUnsafeBytes { tag(of: $0) }
    }
}
