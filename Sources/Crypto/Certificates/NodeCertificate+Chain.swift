import COpenSSL
import Envelope

extension NodeCertificate {
    /// Checks that one of the authorities signed this certificate for both ends of a session.
    ///
    /// - Parameter time: the moment to check validity for; nil leaves times out of the check.
    /// - Throws: ``CertificateError`` that says what a person must do.
    public func verify(against authorities: [AuthorityCertificate], at time: WallTime?) throws(CertificateError) {
        let store = OpenSSL.require(X509_STORE_new(), "a certificate store")
        defer { X509_STORE_free(store) }
        for authority in authorities {
            OpenSSL.require(X509_STORE_add_cert(store, authority.handle.pointer), "a certificate store")
        }
        for purpose in [X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER] {
            let code = check(in: store, purpose: purpose, at: time)
            guard code == X509_V_OK else { throw Self.error(code, handle) }
        }
    }

    public func verify(against authority: AuthorityCertificate, at time: WallTime?) throws(CertificateError) {
        try verify(against: [authority], at: time)
    }

    private func check(in store: OpaquePointer, purpose: Int32, at time: WallTime?) -> Int32 {
        let context = OpenSSL.require(X509_STORE_CTX_new(), "a chain check")
        defer { X509_STORE_CTX_free(context) }
        OpenSSL.require(X509_STORE_CTX_init(context, store, handle.pointer, nil), "a chain check")
        OpenSSL.require(X509_STORE_CTX_set_purpose(context, purpose), "a chain check")
        let parameters = X509_STORE_CTX_get0_param(context)
        if let time {
            X509_VERIFY_PARAM_set_time(parameters, time_t(time.milliseconds / 1_000))
        } else {
            X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_NO_CHECK_TIME))
        }
        let valid = X509_verify_cert(context) == 1
        ERR_clear_error()
        let code = X509_STORE_CTX_get_error(context)
        return valid || code != X509_V_OK ? code : X509_V_ERR_UNSPECIFIED
    }

    /// OpenSSL's verdict in words for a person.
    static func error(_ code: Int32, _ certificate: CertificateHandle) -> CertificateError {
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            .expired(at: certificate.notAfter)
        case X509_V_ERR_CERT_NOT_YET_VALID:
            .notYetValid(until: certificate.notBefore)
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_CERT_UNTRUSTED:
            .otherAuthority(issuer: certificate.issuer)
        default:
            .untrusted(reason: String(cString: X509_verify_cert_error_string(Int(code))))
        }
    }
}
