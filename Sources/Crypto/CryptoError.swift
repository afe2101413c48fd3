/// What can go wrong with keys and sealed bytes. Certificates have ``CertificateError``.
public enum CryptoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Sealed bytes do not open: another key, another nonce, another header, or altered on the way.
    case authenticationFailed
    /// `what` must have exactly `expected` bytes.
    case wrongLength(what: String, expected: Int, actual: Int)
    /// The caller's buffer cannot hold the result.
    case outputTooSmall(needed: Int, given: Int)
    /// More bytes than one call can take (2 GiB less 64 KiB), or more output than the algorithm can give.
    case tooLong(what: String, bytes: Int)
    /// A public key of another party with which no secret can be agreed: malformed, or of low order.
    case unusablePublicKey
    /// A PEM text that holds no private key of the kind wanted.
    case unreadableKey(reason: String)
    /// A PEM text that holds a key under a passphrase.
    case encryptedKey

    public var description: String {
        switch self {
        case .authenticationFailed:
            "sealed bytes do not open: they were altered, or sealed under another key or for another header"
        case .wrongLength(let what, let expected, let actual):
            "\(what) must have \(expected) bytes, but has \(actual)"
        case .outputTooSmall(let needed, let given):
            "the output needs \(needed) bytes, but the buffer holds \(given)"
        case .tooLong(let what, let bytes):
            "\(what) of \(bytes) bytes is too long"
        case .unusablePublicKey:
            "the other party's public key is malformed or unsafe; ask it for a new one"
        case .unreadableKey(let reason):
            "no usable private key (\(reason)); expected PKCS#8 PEM that begins '-----BEGIN PRIVATE KEY-----'"
        case .encryptedKey:
            "the private key is protected by a passphrase; store it without one (openssl pkcs8 -topk8 -nocrypt) and with mode 0600"
        }
    }
}
