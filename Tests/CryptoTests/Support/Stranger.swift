import COpenSSL
import Testing

@testable import Crypto

/// A TLS peer that keeps none of our rules: any version, any certificate or none, believes everything.
final class Stranger {
    private let context: OpaquePointer
    private let session: OpaquePointer

    init(socket: Int32, side: TLSSide, version: Int32 = TLS1_3_VERSION) throws {
        context = try #require(SSL_CTX_new(TLS_method()))
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        session = try #require(SSL_new(context))
        SSL_set_fd(session, socket)
        switch side {
        case .client: SSL_set_connect_state(session)
        case .server: SSL_set_accept_state(session)
        }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    func show(_ certificate: CertificateHandle, _ key: SigningKey) {
        #expect(SSL_use_certificate(session, certificate.pointer) == 1)
        #expect(SSL_use_PrivateKey(session, key.handle.pointer) == 1)
    }

    /// True when the handshake is done from this side.
    func handshake() -> Bool {
        ERR_clear_error()
        return SSL_do_handshake(session) == 1
    }

    /// Takes the other side through its handshake.
    func meet(_ other: TLSSession) -> TLSProgress {
        var progress = TLSProgress.wantsRead
        for _ in 0..<20 where progress.isWaiting {
            _ = handshake()
            progress = other.handshake()
        }
        return progress
    }
}
