import COpenSSL
import Envelope

/// One-shot hashes.
public enum Digest {
    /// Bytes of a SHA-256 hash.
    public static let sha256Bytes = 32

    /// SHA-256 (FIPS 180-4).
    public static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(bytes)
        return hasher.end()
    }

    public static func sha256(_ bytes: borrowing RawSpan) -> [UInt8] {
        bytes.withUnsafeBytes { sha256($0) }
    }

    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { sha256($0) }
    }
}

/// SHA-256 over bytes that come piece by piece, such as the chunks of a file.
public struct SHA256: ~Copyable, @unchecked Sendable {
    // Unchecked: the context has one owner and is only used through exclusive access to it.
    private let context: OpaquePointer

    /// Looked up once: a look-up by name costs more than hashing a short message.
    private nonisolated(unsafe) static let algorithm = OpenSSL.require(
        EVP_MD_fetch(nil, "SHA256", nil), "SHA-256")

    public init() {
        context = OpenSSL.require(EVP_MD_CTX_new(), "a hash context")
        restart()
    }

    deinit { EVP_MD_CTX_free(context) }

    private func restart() {
        OpenSSL.require(EVP_DigestInit_ex2(context, Self.algorithm, nil), "SHA-256")
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        OpenSSL.require(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "SHA-256")
    }

    public mutating func update(_ bytes: borrowing RawSpan) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The hash of all bytes since the start or the last call; the hasher then begins anew.
    public mutating func finish() -> [UInt8] {
        let hash = end()
        restart()
        return hash
    }

    /// The hash of all bytes; the hasher is of no use any more.
    fileprivate func end() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Digest.sha256Bytes) { buffer, count in
            OpenSSL.require(EVP_DigestFinal_ex(context, buffer.baseAddress, nil), "SHA-256")
            count = Digest.sha256Bytes
        }
    }
}

extension NodeID {
    /// The node's place on the wire: the first 16 bytes of SHA-256 of its name in UTF-8.
    public init(of name: NodeName) {
        self.init(ofText: name.description)
    }

    /// Of a node's full name or of an anycast name, such as `manager`.
    public init(ofText name: String) {
        var name = name
        let hash = name.withUTF8 { Digest.sha256(UnsafeRawBufferPointer($0)) }
        self.init(Bytes16(hash.prefix(16)))
    }
}
