import COpenSSL

/// A node's or an authority's Ed25519 private key (RFC 8032). Copies share one key in memory.
public struct SigningKey: Sendable {
    /// Bytes of a signature.
    public static let signatureBytes = 64

    let handle: KeyHandle

    /// A fresh key.
    public init() { handle = KeyHandle(generating: .ed25519) }

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` unless there are 32 bytes.
    public init(raw: borrowing SecretBytes) throws(CryptoError) {
        handle = try KeyHandle(privateBytes: raw, .ed25519)
    }

    /// Reads PKCS#8 PEM.
    /// - Throws: ``CryptoError/unreadableKey(reason:)`` or ``CryptoError/encryptedKey``.
    public init(pem: UnsafeRawBufferPointer) throws(CryptoError) {
        handle = try KeyHandle(pem: pem, .ed25519)
    }

    public init(pem: [UInt8]) throws(CryptoError) {
        self = try pem.withBytes { (pem) throws(CryptoError) in try SigningKey(pem: pem) }
    }

    public init(pem: borrowing SecretBytes) throws(CryptoError) {
        self = try pem.withUnsafeBytes { (pem) throws(CryptoError) in try SigningKey(pem: pem) }
    }

    /// PKCS#8 PEM, for a file of mode 0600.
    public var pem: SecretBytes { handle.pem }

    /// The 32 bytes of the private key.
    public var raw: SecretBytes { handle.privateBytes }

    public var verifyingKey: VerifyingKey { VerifyingKey(handle: handle) }

    /// Signs a message for one purpose; takes about 50 µs, so sign batches, not envelopes.
    public func sign(_ message: UnsafeRawBufferPointer, for purpose: SigningPurpose) -> [UInt8] {
        sign(framed: purpose.framing(message))
    }

    public func sign(_ message: [UInt8], for purpose: SigningPurpose) -> [UInt8] {
        message.withUnsafeBytes { sign($0, for: purpose) }
    }

    func sign(framed message: [UInt8]) -> [UInt8] {
        let context = OpenSSL.require(EVP_MD_CTX_new(), "a signing context")
        defer { EVP_MD_CTX_free(context) }
        OpenSSL.require(EVP_DigestSignInit(context, nil, nil, nil, handle.pointer), "Ed25519")
        return [UInt8](unsafeUninitializedCapacity: Self.signatureBytes) { buffer, count in
            count = Self.signatureBytes
            OpenSSL.require(EVP_DigestSign(context, buffer.baseAddress, &count, message, message.count), "Ed25519")
        }
    }
}
