import COpenSSL

/// Why a session ended, in words that say what a person must do.
enum TLSFailure {
    static let noCertificate =
        "the peer showed no certificate; give it one issued by this mesh's authority (relayctl node create)"

    /// Reads the thread's error queue, then errno.
    static func text(kind: Int32, side: TLSSide, duringHandshake: Bool) -> String {
        let number = gridrelay_errno()
        let reason = gridrelay_error_reason(ERR_peek_error())
        let words = OpenSSL.takeReason()
        if kind == SSL_ERROR_SYSCALL || reason == 0 {
            return number == 0 ? ended(duringHandshake) : "the connection failed: \(String(cString: strerror(number)))"
        }
        return alert(reason) ?? protocolError(reason, side, duringHandshake) ?? "TLS failed: \(words)"
    }

    private static func ended(_ duringHandshake: Bool) -> String {
        duringHandshake
            ? "the peer closed the connection during the handshake; its log says why"
            : "the peer went away without a goodbye; its process ended or the network was cut"
    }

    /// What the peer said about us.
    private static func alert(_ reason: Int32) -> String? {
        switch reason {
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
            "the peer refused our certificate: it trusts another authority; both nodes need certificates of one mesh"
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
            "the peer refused our certificate as expired; issue a new one, and compare the clocks of both nodes"
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
            "the peer refused our certificate as revoked; ask the mesh's operator"
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            "the peer asks for a certificate and we showed none"
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
            SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_ACCESS_DENIED:
            "the peer refused our certificate; its log says why"
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            "the peer does not speak TLS 1.3; bring it up to date, or check that the address is a node's"
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
            "the peer refused the handshake; its log says why"
        default:
            nil
        }
    }

    /// What the peer did wrong.
    private static func protocolError(_ reason: Int32, _ side: TLSSide, _ duringHandshake: Bool) -> String? {
        switch reason {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            noCertificate
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_NO_PROTOCOLS_AVAILABLE:
            "the peer does not speak TLS 1.3; bring it up to date, or check that the address is a node's"
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
            "the peer spoke HTTP, not TLS; this port is for nodes of the mesh only"
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_UNEXPECTED_MESSAGE, SSL_R_PACKET_LENGTH_TOO_LONG,
            SSL_R_ENCRYPTED_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE:
            duringHandshake
                ? "the peer spoke no TLS; check that \(side == .client ? "the address is a node's" : "the caller is a node")"
                : "the peer sent what is no TLS; something on the way altered it"
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            ended(duringHandshake)
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
            "bytes were altered on the way; look for a faulty or meddling device between the nodes"
        default:
            nil
        }
    }
}
