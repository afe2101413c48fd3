import COpenSSL

/// Owns one OpenSSL key; freed, and wiped by OpenSSL, with its last user.
///
/// Unchecked Sendable: the key is never changed after it is made, and OpenSSL counts its users atomically.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over a key that OpenSSL has handed out.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    /// The two curves in use; both have keys of 32 bytes.
    enum Kind {
        case ed25519
        case x25519

        var name: String {
            switch self {
            case .ed25519: "ED25519"
            case .x25519: "X25519"
            }
        }

        var number: Int32 {
            switch self {
            case .ed25519: EVP_PKEY_ED25519
            case .x25519: EVP_PKEY_X25519
            }
        }
    }

    static let rawBytes = 32

    convenience init(generating kind: Kind) {
        let context = OpenSSL.require(EVP_PKEY_CTX_new_from_name(nil, kind.name, nil), "a key generator")
        defer { EVP_PKEY_CTX_free(context) }
        OpenSSL.require(EVP_PKEY_keygen_init(context), "a key generator")
        var key: OpaquePointer?
        OpenSSL.require(EVP_PKEY_generate(context, &key), "a key")
        self.init(owning: OpenSSL.require(key, "a key"))
    }

    convenience init(privateBytes: borrowing SecretBytes, _ kind: Kind) throws(CryptoError) {
        guard privateBytes.count == Self.rawBytes else {
            throw .wrongLength(what: "a private key", expected: Self.rawBytes, actual: privateBytes.count)
        }
        let key = privateBytes.withUnsafeBytes { bytes in
            EVP_PKEY_new_raw_private_key(
                kind.number, nil, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
        }
        self.init(owning: OpenSSL.require(key, "a key"))
    }

    convenience init(publicBytes: [UInt8], _ kind: Kind) throws(CryptoError) {
        guard publicBytes.count == Self.rawBytes else {
            throw .wrongLength(what: "a public key", expected: Self.rawBytes, actual: publicBytes.count)
        }
        guard let key = EVP_PKEY_new_raw_public_key(kind.number, nil, publicBytes, publicBytes.count) else {
            ERR_clear_error()
            throw .unusablePublicKey
        }
        self.init(owning: key)
    }

    /// Reads PKCS#8 PEM. Never asks a terminal for a passphrase.
    convenience init(pem: UnsafeRawBufferPointer, _ kind: Kind) throws(CryptoError) {
        ERR_clear_error()
        var asked = false
        let read: OpaquePointer? = OpenSSL.withReader(pem) { reader in
            withUnsafeMutablePointer(to: &asked) { asked in
                PEM_read_bio_PrivateKey(
                    reader, nil,
                    { _, _, _, asked in
                        asked?.assumingMemoryBound(to: Bool.self).pointee = true
                        return -1
                    }, asked)
            }
        }
        guard let read else {
            let reason = OpenSSL.takeReason()
            throw asked ? .encryptedKey : .unreadableKey(reason: reason)
        }
        self.init(owning: read)
        try check(kind)
    }

    /// - Throws: ``CryptoError/unreadableKey(reason:)`` where the key is of another kind.
    func check(_ kind: Kind) throws(CryptoError) {
        guard EVP_PKEY_get_base_id(pointer) == kind.number else {
            let found = EVP_PKEY_get0_type_name(pointer).map { String(cString: $0) } ?? "another"
            throw .unreadableKey(reason: "it is of kind \(found), but \(kind.name) is wanted")
        }
    }

    var publicBytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.rawBytes) { buffer, count in
            count = Self.rawBytes
            OpenSSL.require(EVP_PKEY_get_raw_public_key(pointer, buffer.baseAddress, &count), "a public key")
        }
    }

    var privateBytes: SecretBytes {
        var bytes = SecretBytes(zeroed: Self.rawBytes)
        bytes.withUnsafeMutableBytes { buffer in
            var count = buffer.count
            let start = buffer.assumingMemoryBound(to: UInt8.self).baseAddress
            OpenSSL.require(EVP_PKEY_get_raw_private_key(pointer, start, &count), "a private key")
        }
        return bytes
    }

    var pem: SecretBytes {
        OpenSSL.collect({ PEM_write_bio_PKCS8PrivateKey($0, pointer, nil, nil, 0, nil, nil) }, "a PEM text")
    }
}
