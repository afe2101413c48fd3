import COpenSSL

/// An Ed25519 public key (RFC 8032).
public struct VerifyingKey: Hashable, Sendable {
    /// The 32 bytes of the key.
    public let raw: [UInt8]

    let handle: KeyHandle

    init(handle: KeyHandle) {
        self.handle = handle
        raw = handle.publicBytes
    }

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` or ``CryptoError/unusablePublicKey``.
    public init(raw: [UInt8]) throws(CryptoError) {
        handle = try KeyHandle(publicBytes: raw, .ed25519)
        self.raw = raw
    }

    /// The key that a node's certificate speaks for. The certificate's signature is not checked here.
    /// - Throws: ``CertificateError`` where the bytes are no node's certificate.
    public init(certificate der: [UInt8]) throws(CertificateError) {
        self = try NodeCertificate(der: der).publicKey
    }

    /// Whether the key's owner signed this message for this purpose. Takes about 130 µs.
    public func verify(
        _ signature: [UInt8], of message: UnsafeRawBufferPointer, for purpose: SigningPurpose
    ) -> Bool {
        verify(signature, framed: purpose.framing(message))
    }

    public func verify(_ signature: [UInt8], of message: [UInt8], for purpose: SigningPurpose) -> Bool {
        message.withUnsafeBytes { verify(signature, of: $0, for: purpose) }
    }

    func verify(_ signature: [UInt8], framed message: [UInt8]) -> Bool {
        let context = OpenSSL.require(EVP_MD_CTX_new(), "a signing context")
        defer { EVP_MD_CTX_free(context) }
        OpenSSL.require(EVP_DigestVerifyInit(context, nil, nil, nil, handle.pointer), "Ed25519")
        let valid = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        if !valid { ERR_clear_error() }
        return valid
    }

    public static func == (left: Self, right: Self) -> Bool { left.raw == right.raw }

    public func hash(into hasher: inout Hasher) { hasher.combine(raw) }
}
