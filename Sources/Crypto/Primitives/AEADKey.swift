import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) under one key.
///
/// Holds a keyed context for each direction, because making or keying one costs more than sealing a short
/// message. Never use a nonce twice for sealing; the caller derives a key per stream so that none can repeat.
public struct AEADKey: ~Copyable, @unchecked Sendable {
    /// Bytes of the key.
    public static let keyBytes = 32
    /// Bytes that sealing adds: the tag, behind the ciphertext.
    public static let overhead = 16

    // Unchecked: both contexts have one owner and are only used through exclusive access to it.
    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    /// Looked up once: a look-up by name costs more than sealing a short message.
    // Unsafe: never changed, and OpenSSL lets any thread use a cipher that was fetched.
    private nonisolated(unsafe) static let algorithm = OpenSSL.require(
        EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), "AES-256-GCM")

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` unless the key has 32 bytes.
    public init(_ key: borrowing SecretBytes) throws(CryptoError) {
        guard key.count == Self.keyBytes else {
            throw .wrongLength(what: "an AES-256 key", expected: Self.keyBytes, actual: key.count)
        }
        sealing = OpenSSL.require(EVP_CIPHER_CTX_new(), "a cipher context")
        opening = OpenSSL.require(EVP_CIPHER_CTX_new(), "a cipher context")
        key.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            OpenSSL.require(EVP_EncryptInit_ex2(sealing, Self.algorithm, start, nil, nil), "AES-256-GCM")
            OpenSSL.require(EVP_DecryptInit_ex2(opening, Self.algorithm, start, nil, nil), "AES-256-GCM")
        }
    }

    /// Frees the contexts; OpenSSL wipes the keys in them.
    deinit {
        EVP_CIPHER_CTX_free(sealing)
        EVP_CIPHER_CTX_free(opening)
    }

    /// Seals up to three pieces as one plaintext, ciphertext first and tag behind it, without joining them before.
    ///
    /// A piece may lie in `output` exactly where its ciphertext goes, and must not overlap it otherwise.
    /// - Returns: bytes written: those of the pieces and ``overhead``.
    /// - Throws: ``CryptoError/outputTooSmall(needed:given:)`` or ``CryptoError/tooLong(what:bytes:)``; nothing is
    ///   written then.
    @discardableResult
    public mutating func seal(
        nonce: Nonce, authenticating header: UnsafeRawBufferPointer, plaintext first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = Self.nothing, _ third: UnsafeRawBufferPointer = Self.nothing,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Int {
        let count = first.count + second.count + third.count
        try Self.check(header.count, count)
        guard let start = output.baseAddress, output.count >= count + Self.overhead else {
            throw .outputTooSmall(needed: count + Self.overhead, given: output.count)
        }
        nonce.withUnsafeBytes { bytes in
            let nonce = bytes.bindMemory(to: UInt8.self).baseAddress
            OpenSSL.require(EVP_EncryptInit_ex2(sealing, nil, nil, nonce, nil), "AES-256-GCM")
        }
        pass(header, through: sealing, to: nil)
        pass(first, through: sealing, to: start)
        pass(second, through: sealing, to: start + first.count)
        pass(third, through: sealing, to: start + first.count + second.count)
        var written: Int32 = 0
        let tag = start + count
        OpenSSL.require(
            EVP_EncryptFinal_ex(sealing, tag.assumingMemoryBound(to: UInt8.self), &written), "AES-256-GCM")
        let got = EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, Int32(Self.overhead), tag)
        OpenSSL.require(got, "AES-256-GCM")
        return count + Self.overhead
    }

    /// Takes a piece through a context, in its direction; without an output it is authenticated only.
    private func pass(
        _ piece: UnsafeRawBufferPointer, through context: OpaquePointer, to output: UnsafeMutableRawPointer?
    ) {
        guard piece.count > 0 else { return }
        var written: Int32 = 0
        let status = EVP_CipherUpdate(
            context, output?.assumingMemoryBound(to: UInt8.self), &written,
            piece.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(piece.count))
        OpenSSL.require(status, "AES-256-GCM")
    }

    /// Opens what ``seal(nonce:authenticating:plaintext:_:_:into:)`` made.
    ///
    /// `sealed` may lie at the very start of `output`, and must not overlap it otherwise.
    /// - Returns: bytes of plaintext written.
    /// - Throws: ``CryptoError/authenticationFailed``, with the plaintext's place in `output` wiped;
    ///   ``CryptoError/outputTooSmall(needed:given:)`` or ``CryptoError/tooLong(what:bytes:)`` with nothing written.
    @discardableResult
    public mutating func open(
        nonce: Nonce, authenticating header: UnsafeRawBufferPointer, sealed: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Int {
        let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        return try open(nonce: nonce, authenticating: header, sealed: sealed, into: nothing, output)
    }

    /// The same with a plaintext whose first bytes fill `first` and whose rest goes to `second`, so that a head and what
    /// follows it need not be parted afterwards. Then nothing may overlap.
    @discardableResult
    public mutating func open(
        nonce: Nonce, authenticating header: UnsafeRawBufferPointer, sealed: UnsafeRawBufferPointer,
        into first: UnsafeMutableRawBufferPointer, _ second: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Int {
        let count = sealed.count - Self.overhead
        guard count >= first.count else { throw .authenticationFailed }
        try Self.check(header.count, sealed.count)
        let rest = count - first.count
        guard second.count >= rest else { throw .outputTooSmall(needed: rest, given: second.count) }
        let output = UnsafeMutableRawBufferPointer(rebasing: second[..<rest])
        guard decrypt(nonce, header, sealed, first, output) else {
            for piece in [first, output] where piece.count > 0 { OPENSSL_cleanse(piece.baseAddress, piece.count) }
            ERR_clear_error()
            throw .authenticationFailed
        }
        return count
    }

    private func decrypt(
        _ nonce: Nonce, _ header: UnsafeRawBufferPointer, _ sealed: UnsafeRawBufferPointer,
        _ first: UnsafeMutableRawBufferPointer, _ second: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let count = first.count + second.count
        // The tag is copied: OpenSSL wants it mutable, and an output over the input may overwrite it.
        var tag: (UInt64, UInt64) = (
            sealed.loadUnaligned(fromByteOffset: count, as: UInt64.self),
            sealed.loadUnaligned(fromByteOffset: count + 8, as: UInt64.self)
        )
        let started = nonce.withUnsafeBytes { bytes in
            EVP_DecryptInit_ex2(opening, nil, nil, bytes.bindMemory(to: UInt8.self).baseAddress, nil) == 1
        }
        precondition(started, "OpenSSL cannot provide AES-256-GCM")
        pass(header, through: opening, to: nil)
        pass(UnsafeRawBufferPointer(rebasing: sealed[..<first.count]), through: opening, to: first.baseAddress)
        pass(UnsafeRawBufferPointer(rebasing: sealed[first.count..<count]), through: opening, to: second.baseAddress)
        OpenSSL.require(
            EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, Int32(Self.overhead), &tag), "AES-256-GCM")
        var (unused, written): (UInt8, Int32) = (0, 0)
        return EVP_DecryptFinal_ex(opening, &unused, &written) == 1
    }

    /// No bytes: a piece that is not there.
    public static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    private static func check(_ header: Int, _ message: Int) throws(CryptoError) {
        let longest = max(header, message)
        guard longest <= OpenSSL.inputBytes else { throw .tooLong(what: "a message", bytes: longest) }
    }
}
