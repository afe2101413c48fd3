import COpenSSL
import Envelope

/// A node's identity as TLS needs it: TLS 1.3 only, both ends with certificates of the mesh.
///
/// No tickets, no resumption, no early data, no renegotiation: nothing is parsed for a peer that has not shown who
/// it is, and no session outlives a revoked certificate. May be shared among threads; never changes.
///
/// OpenSSL writes to sockets with write(2), so the process must ignore SIGPIPE, or a peer that goes away ends it.
public final class TLSContext: @unchecked Sendable {
    // Unchecked: set up once here; OpenSSL counts its users atomically and only reads it afterwards.
    let pointer: OpaquePointer

    /// This node's certificate.
    public let certificate: NodeCertificate
    /// Who may sign the peers' certificates.
    public let authorities: [AuthorityCertificate]

    /// Bytes read ahead from a socket for one session; given back while nothing is under way.
    static let readBufferBytes = 64 << 10
    /// Bytes that one record carries.
    static let recordBytes = 16 << 10
    /// Encrypted bytes gathered for one write(2): this many records with their heads and tags.
    static let gatheredBytes = Int32(8 * (recordBytes + 22))
    /// Bytes of a peer's certificate chain; a node's certificate has about 500.
    static let peerChainBytes = 16 << 10

    /// - Throws: ``CertificateError`` where key and certificate are no pair, or no authority signed it. Its times
    ///   are not checked here, so that a node whose certificate has expired starts and says so.
    public init(
        certificate: NodeCertificate, key: SigningKey, authorities: [AuthorityCertificate]
    ) throws(CertificateError) {
        guard certificate.publicKey == key.verifyingKey else { throw .keyDoesNotMatch }
        try certificate.verify(against: authorities, at: nil)
        self.certificate = certificate
        self.authorities = authorities
        pointer = OpenSSL.require(SSL_CTX_new(TLS_method()), "a TLS context")
        Self.configure(pointer)
        OpenSSL.require(SSL_CTX_use_certificate(pointer, certificate.handle.pointer), "a TLS context")
        OpenSSL.require(SSL_CTX_use_PrivateKey(pointer, key.handle.pointer), "a TLS context")
        for authority in authorities {
            let store = SSL_CTX_get_cert_store(pointer)
            OpenSSL.require(X509_STORE_add_cert(store, authority.handle.pointer), "a TLS context")
        }
    }

    /// Reads everything from PEM texts.
    public convenience init(
        certificatePEM: [UInt8], keyPEM: [UInt8], authorityPEM: [UInt8]
    ) throws(CertificateError) {
        let key: SigningKey
        do throws(CryptoError) { key = try SigningKey(pem: keyPEM) } catch { throw .key(error) }
        try self.init(
            certificate: NodeCertificate(pem: certificatePEM), key: key,
            authorities: AuthorityCertificate.all(inPEM: authorityPEM))
    }

    deinit { SSL_CTX_free(pointer) }

    private static func configure(_ context: OpaquePointer) {
        OpenSSL.require(gridrelay_tls_only_1_3(context), "TLS 1.3")
        let suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
        OpenSSL.require(SSL_CTX_set_ciphersuites(context, suites), "cipher suites")
        OpenSSL.require(gridrelay_tls_set_groups(context, "X25519:P-256"), "groups")
        gridrelay_tls_forbid_resumption(context)
        gridrelay_tls_tune(context, readBufferBytes, peerChainBytes)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        SSL_CTX_set_cert_verify_callback(context, { checks, _ in verifyPeer(checks) }, nil)
    }
}

/// The chain check, then the name and kind of key: so that a certificate that is no node's ends the handshake on
/// both sides, not the conversation after it.
private func verifyPeer(_ checks: OpaquePointer?) -> Int32 {
    guard let checks else { return 0 }
    let valid = X509_verify_cert(checks) == 1
    guard let shown = X509_STORE_CTX_get0_cert(checks), X509_up_ref(shown) == 1 else { return 0 }
    let certificate = CertificateHandle(owning: shown)
    do throws(CertificateError) {
        guard valid else { throw NodeCertificate.error(X509_STORE_CTX_get_error(checks), certificate) }
        _ = try NodeCertificate(certificate)
        return 1
    } catch {
        if valid { X509_STORE_CTX_set_error(checks, X509_V_ERR_APPLICATION_VERIFICATION) }
        // OpenSSL keeps nothing of a certificate it has refused, so the words are found here.
        TLSSession.checked(by: checks)?.refusal = error
        return 0
    }
}
