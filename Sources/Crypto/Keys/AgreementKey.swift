import COpenSSL

/// An X25519 private key (RFC 7748), with which two parties agree on a secret. Copies share one key in memory.
public struct AgreementKey: Sendable {
    /// Bytes of a public key, and of an agreed secret.
    public static let publicBytes = 32

    let handle: KeyHandle

    /// A fresh key.
    public init() { handle = KeyHandle(generating: .x25519) }

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` unless there are 32 bytes.
    public init(raw: borrowing SecretBytes) throws(CryptoError) {
        handle = try KeyHandle(privateBytes: raw, .x25519)
    }

    /// The 32 bytes of the private key.
    public var raw: SecretBytes { handle.privateBytes }

    /// The 32 bytes for the other party.
    public var publicKey: [UInt8] { handle.publicBytes }

    /// The 32 bytes that the other party finds as well. They are no key yet: put them through ``HKDF`` together
    /// with both public keys.
    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)``; ``CryptoError/unusablePublicKey`` for a point
    ///   of low order, with which everybody would find the same secret.
    public func derive(with publicKey: [UInt8]) throws(CryptoError) -> SecretBytes {
        let peer = try KeyHandle(publicBytes: publicKey, .x25519)
        let context = OpenSSL.require(EVP_PKEY_CTX_new_from_pkey(nil, handle.pointer, nil), "X25519")
        defer { EVP_PKEY_CTX_free(context) }
        OpenSSL.require(EVP_PKEY_derive_init(context), "X25519")
        OpenSSL.require(EVP_PKEY_derive_set_peer(context, peer.pointer), "X25519")
        var secret = SecretBytes(zeroed: Self.publicBytes)
        let agreed = secret.withUnsafeMutableBytes { buffer in
            var count = buffer.count
            return EVP_PKEY_derive(context, buffer.assumingMemoryBound(to: UInt8.self).baseAddress, &count) == 1
                && count == Self.publicBytes
        }
        guard agreed else {
            ERR_clear_error()
            throw .unusablePublicKey
        }
        return secret
    }
}
