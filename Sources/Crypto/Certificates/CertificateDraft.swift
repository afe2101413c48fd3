import COpenSSL
import Envelope

/// A certificate in the making: version 3, a random serial number, a life.
struct CertificateDraft: ~Copyable {
    private let handle: CertificateHandle
    private var issuer: CertificateHandle

    /// - Throws: ``CertificateError/unusableLife(days:)``.
    init(publicKey: KeyHandle, now: WallTime, days: Int) throws(CertificateError) {
        guard (1...Authority.longestDays).contains(days) else { throw .unusableLife(days: days) }
        handle = CertificateHandle(owning: OpenSSL.require(X509_new(), "a certificate"))
        issuer = handle
        OpenSSL.require(X509_set_version(handle.pointer, 2), "a certificate")
        setRandomSerial()
        let seconds = now.milliseconds / 1_000
        let start = OpenSSL.require(ASN1_TIME_set(nil, time_t(seconds - 3_600)), "a time")
        let end = OpenSSL.require(ASN1_TIME_set(nil, time_t(seconds + Int64(days) * 86_400)), "a time")
        defer {
            ASN1_TIME_free(start)
            ASN1_TIME_free(end)
        }
        OpenSSL.require(X509_set1_notBefore(handle.pointer, start), "a time")
        OpenSSL.require(X509_set1_notAfter(handle.pointer, end), "a time")
        OpenSSL.require(X509_set_pubkey(handle.pointer, publicKey.pointer), "a public key")
    }

    /// 16 bytes without sign: more than the 64 random bits that the CA/Browser Forum asks for, and within the 20
    /// bytes of RFC 5280.
    private func setRandomSerial() {
        let serial = OpenSSL.require(BN_new(), "a number")
        defer { BN_free(serial) }
        OpenSSL.require(BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), "random bytes")
        _ = OpenSSL.require(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(handle.pointer)), "a serial number")
    }

    func setSubject(_ name: String) {
        let subject = X509_get_subject_name(handle.pointer)
        let bytes = Array(name.utf8)
        let status = X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_UTF8, bytes, Int32(clamping: bytes.count), -1, 0)
        OpenSSL.require(status, "a subject")
    }

    /// nil: the certificate is its own issuer.
    mutating func setIssuer(_ authority: CertificateHandle?) {
        issuer = authority ?? handle
        OpenSSL.require(X509_set_issuer_name(handle.pointer, X509_get_subject_name(issuer.pointer)), "an issuer")
    }

    /// `value` in OpenSSL's notation. Call after ``setIssuer(_:)``, in an order where what is referred to exists.
    func add(_ identifier: Int32, _ value: String) {
        var context = X509V3_CTX()
        gridrelay_extension_context(&context, issuer.pointer, handle.pointer)
        let made = OpenSSL.require(X509V3_EXT_conf_nid(nil, &context, identifier, value), "an extension")
        defer { X509_EXTENSION_free(made) }
        OpenSSL.require(X509_add_ext(handle.pointer, made, -1), "an extension")
    }

    consuming func signed(by key: KeyHandle) -> CertificateHandle {
        // Ed25519 hashes by itself: no digest is named. The answer is the signature's length.
        precondition(X509_sign(handle.pointer, key.pointer, nil) > 0, "OpenSSL cannot sign a certificate")
        return handle
    }
}
