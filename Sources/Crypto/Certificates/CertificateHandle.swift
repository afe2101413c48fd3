import COpenSSL
import Envelope

/// Owns one OpenSSL certificate.
///
/// Unchecked Sendable: the certificate is never changed after it is made, and OpenSSL locks what it caches in it.
final class CertificateHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over a certificate that OpenSSL has handed out.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    /// Bytes of a certificate that we read; a node's has about 500.
    static let encodedBytes = 32 << 10

    convenience init(der: [UInt8]) throws(CertificateError) {
        guard der.count <= Self.encodedBytes else {
            throw .unreadable(reason: "longer than \(Self.encodedBytes) bytes")
        }
        ERR_clear_error()
        let read: OpaquePointer? = der.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            guard let read = d2i_X509(nil, &position, bytes.count) else { return nil }
            if position == bytes.baseAddress.map({ $0 + bytes.count }) { return read }
            X509_free(read)
            return nil
        }
        guard let read else { throw .unreadable(reason: OpenSSL.takeReason()) }
        self.init(owning: read)
    }

    /// All certificates of a PEM text, at least one and at most `limit`.
    static func all(inPEM text: [UInt8], limit: Int) throws(CertificateError) -> [CertificateHandle] {
        guard text.count <= limit * encodedBytes * 2 else {
            throw .unreadable(reason: "a text of \(text.count) bytes is too long")
        }
        ERR_clear_error()
        var found: [CertificateHandle] = []
        text.withUnsafeBytes { text in
            OpenSSL.withReader(text) { reader in
                // Never asks a terminal for a passphrase.
                while found.count <= limit, let read = PEM_read_bio_X509(reader, nil, { _, _, _, _ in -1 }, nil) {
                    found.append(CertificateHandle(owning: read))
                }
            }
        }
        // Reading ends with "no start line"; anything else is a certificate that is broken.
        let last = ERR_peek_last_error()
        let reason = OpenSSL.takeReason()
        let atEnd = gridrelay_error_reason(last) == PEM_R_NO_START_LINE
        guard found.count > limit || (atEnd && !found.isEmpty) else { throw .unreadable(reason: reason) }
        return found
    }

    /// - Throws: ``CertificateError/unreadable(reason:)`` where a stranger's certificate cannot be written again.
    func encoded() throws(CertificateError) -> [UInt8] {
        ERR_clear_error()
        let count = Int(i2d_X509(pointer, nil))
        guard count > 0 else { throw .unreadable(reason: OpenSSL.takeReason()) }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            var position = buffer.baseAddress
            filled = Int(i2d_X509(pointer, &position))
        }
    }

    var pem: [UInt8] {
        OpenSSL.collect({ PEM_write_bio_X509($0, pointer) }, "a PEM text").withUnsafeBytes { Array($0) }
    }

    var notBefore: WallTime { Self.time(X509_get0_notBefore(pointer)) }
    var notAfter: WallTime { Self.time(X509_get0_notAfter(pointer)) }

    /// An unreadable time counts as 1970, so that the certificate shows as long expired.
    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> WallTime {
        let epoch = ASN1_TIME_set(nil, 0)
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else {
            ERR_clear_error()
            return WallTime(milliseconds: 0)
        }
        return WallTime(milliseconds: (Int64(days) * 86_400 + Int64(seconds)) * 1_000)
    }

    var subject: String { Self.oneLine(X509_get_subject_name(pointer)) }
    var issuer: String { Self.oneLine(X509_get_issuer_name(pointer)) }

    /// Cut to 200 bytes, because a stranger's certificate may hold any name and this goes to a log. OpenSSL
    /// escapes control characters.
    private static func oneLine(_ name: OpaquePointer?) -> String {
        let writer = OpenSSL.require(BIO_new(BIO_s_mem()), "a memory stream")
        defer { BIO_free(writer) }
        guard let name, X509_NAME_print_ex(writer, name, 0, gridrelay_name_flags()) >= 0 else {
            ERR_clear_error()
            return "an unreadable name"
        }
        var start: UnsafeRawPointer?
        let count = gridrelay_bio_memory(writer, &start)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count).prefix(200), as: UTF8.self)
    }

    /// The key the certificate speaks for.
    func publicKey() throws(CertificateError) -> VerifyingKey {
        guard let key = X509_get_pubkey(pointer) else {
            ERR_clear_error()
            throw .unsupportedKey(found: "unknown")
        }
        let handle = KeyHandle(owning: key)
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 else {
            throw .unsupportedKey(found: EVP_PKEY_get0_type_name(key).map { String(cString: $0) } ?? "unknown")
        }
        return VerifyingKey(handle: handle)
    }
}
