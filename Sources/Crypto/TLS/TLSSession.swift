import COpenSSL
import Envelope

/// Which end of a session this is: who listened, or who dialled.
public enum TLSSide: Sendable {
    case client
    case server
}

/// What a step of a handshake came to.
public enum TLSProgress: Equatable, Sendable {
    case done
    /// Call again when the socket has something to read.
    case wantsRead
    /// Call again when the socket takes more.
    case wantsWrite
    /// The session is over; the text says what a person must do.
    case failed(String)
}

/// What a read or a write came to.
public enum TLSTransfer: Equatable, Sendable {
    /// So many bytes were read or taken; never 0 for a read.
    case bytes(Int)
    case wantsRead
    case wantsWrite
    /// The peer has ended its side in good order.
    case closed
    /// The session is over; the text says what a person must do.
    case failed(String)
}

/// One TLS session over a socket that does not block. Belongs to the thread that uses it.
///
/// The socket stays the caller's: it outlives the session and is closed by the caller afterwards.
///
/// - Writes of more than a record are gathered, so that one write(2) carries several: after the last of them call
///   ``flush()`` until nothing is unsent.
/// - After ``TLSTransfer/wantsRead`` or ``TLSTransfer/wantsWrite`` from a write, write the same bytes again first
///   (they may have moved, and more may follow them).
/// - Read until ``TLSTransfer/wantsRead``, or come back while ``hasPending``: bytes already decrypted or buffered
///   here do not wake a poller.
/// - In TLS 1.3 a client is done before the server has judged the client's certificate. A refusal then shows as a
///   failed first read.
public final class TLSSession {
    private let pointer: OpaquePointer
    private let side: TLSSide
    private let socket: OpaquePointer
    /// Stands before the socket while records are gathered; gone while there are none, so that idle sessions cost
    /// nothing. The session owns it.
    private var gatherer: OpaquePointer?
    private var state = State.handshaking
    /// The last read found everything taken that the socket had given: what is buffered is part of a record.
    private var isDrained = false

    /// What is wrong with the peer's certificate, left by the context's check of it.
    var refusal: CertificateError?

    private enum State {
        case handshaking
        case open
        case over
    }

    /// Name in the peer's certificate; nil before the handshake is done.
    public private(set) var peer: NodeName?
    /// The peer's certificate in DER; empty before the handshake is done.
    public private(set) var peerCertificate: [UInt8] = []

    /// The cipher suite agreed on, such as `TLS_AES_256_GCM_SHA384`; for reports.
    public var suite: String {
        SSL_CIPHER_get_name(SSL_get_current_cipher(pointer)).map { String(cString: $0) } ?? "none"
    }

    /// - Parameters:
    ///   - socket: a connected stream socket in non-blocking mode, valid as long as the session.
    ///   - time: the time of day at which the peer's certificate must be valid; nil leaves it to OpenSSL, which
    ///     asks the system's clock.
    public init(_ context: TLSContext, socket: Int32, side: TLSSide, at time: WallTime? = nil) {
        self.side = side
        pointer = OpenSSL.require(SSL_new(context.pointer), "a TLS session")
        self.socket = OpenSSL.require(BIO_new_socket(socket, BIO_NOCLOSE), "a TLS session")
        // One count for reading, one for writing.
        SSL_set0_rbio(pointer, self.socket)
        OpenSSL.require(BIO_up_ref(self.socket), "a TLS session")
        SSL_set0_wbio(pointer, self.socket)
        switch side {
        case .client: SSL_set_connect_state(pointer)
        case .server: SSL_set_accept_state(pointer)
        }
        if let time {
            X509_VERIFY_PARAM_set_time(SSL_get0_param(pointer), time_t(time.milliseconds / 1_000))
        }
        // Unretained: OpenSSL's session goes with this one and calls back only from within our calls.
        OpenSSL.require(SSL_set_ex_data(pointer, 0, Unmanaged.passUnretained(self).toOpaque()), "a TLS session")
    }

    /// The session whose peer is being checked.
    static func checked(by checks: OpaquePointer) -> TLSSession? {
        let place = SSL_get_ex_data_X509_STORE_CTX_idx()
        guard let session = X509_STORE_CTX_get_ex_data(checks, place),
            let owner = SSL_get_ex_data(OpaquePointer(session), 0)
        else { return nil }
        return Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    }

    deinit { SSL_free(pointer) }

    /// Takes the handshake as far as the socket allows. Call first, and again when the socket is ready.
    public func handshake() -> TLSProgress {
        switch state {
        case .open: return .done
        case .over: return .failed("the session is over")
        case .handshaking: break
        }
        prepare()
        let status = SSL_do_handshake(pointer)
        guard status == 1 else {
            switch SSL_get_error(pointer, status) {
            case SSL_ERROR_WANT_READ: return .wantsRead
            case SSL_ERROR_WANT_WRITE: return .wantsWrite
            case let kind:
                state = .over
                let text = TLSFailure.text(kind: kind, side: side, duringHandshake: true)
                return .failed(refusal.map { "the peer's certificate: \($0)" } ?? text)
            }
        }
        return welcomePeer()
    }

    /// The chain and the name were checked during the handshake; this only keeps them.
    private func welcomePeer() -> TLSProgress {
        guard let shown = SSL_get1_peer_certificate(pointer) else {
            state = .over
            return .failed(TLSFailure.noCertificate)
        }
        do throws(CertificateError) {
            let certificate = try NodeCertificate(CertificateHandle(owning: shown))
            peer = certificate.name
            peerCertificate = certificate.der
            state = .open
            return .done
        } catch {
            state = .over
            return .failed("the peer's certificate: \(error)")
        }
    }

    /// Decrypts into `buffer`, which should hold a record (16 KiB) or more. An empty buffer reads 0 bytes.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> TLSTransfer {
        guard state == .open else { return .failed("the session is not open") }
        guard buffer.count > 0 else { return .bytes(0) }
        prepare()
        var count = 0
        let status = SSL_read_ex(pointer, buffer.baseAddress, buffer.count, &count)
        isDrained = false
        guard status == 1 else {
            let outcome = transfer(failedWith: status)
            isDrained = outcome == .wantsRead
            return outcome
        }
        return .bytes(count)
    }

    /// Encrypts a record's worth of the bytes and writes it, or gathers it where there is more than a record; give it
    /// 16 KiB or more where there is as much.
    /// - Parameter hasMore: gather it in any case, since more follows.
    public func write(_ bytes: UnsafeRawBufferPointer, hasMore: Bool = false) -> TLSTransfer {
        guard state == .open else { return .failed("the session is not open") }
        guard bytes.count > 0 else { return .bytes(0) }
        if gatherer == nil, hasMore || bytes.count > TLSContext.recordBytes { gather() }
        prepare()
        var count = 0
        let status = SSL_write_ex(pointer, bytes.baseAddress, bytes.count, &count)
        return status == 1 ? .bytes(count) : transfer(failedWith: status)
    }

    /// Whether encrypted bytes wait for the socket; ``flush()`` when it takes more.
    public var hasUnsent: Bool { gatherer != nil }

    /// Writes what was gathered, as far as the socket takes it.
    public func flush() -> TLSTransfer {
        guard state == .open else { return .failed("the session is not open") }
        guard let gatherer else { return .bytes(0) }
        prepare()
        let status = gridrelay_bio_flush(gatherer)
        guard status == 1 else {
            guard BIO_test_flags(gatherer, BIO_FLAGS_SHOULD_RETRY) != 0 else {
                state = .over
                return .failed(TLSFailure.text(kind: SSL_ERROR_SYSCALL, side: side, duringHandshake: false))
            }
            return .wantsWrite
        }
        // The count that the gatherer had of the socket is the session's then.
        BIO_pop(gatherer)
        SSL_set0_wbio(pointer, socket)
        self.gatherer = nil
        return .bytes(0)
    }

    private func gather() {
        let gatherer = OpenSSL.require(BIO_new(BIO_f_buffer()), "room for records")
        OpenSSL.require(gridrelay_bio_write_buffer(gatherer, TLSContext.gatheredBytes), "room for records")
        OpenSSL.require(BIO_up_ref(socket), "a TLS session")
        BIO_push(gatherer, socket)
        SSL_set0_wbio(pointer, gatherer)
        self.gatherer = gatherer
    }

    /// True while a read would give bytes although the socket may have none.
    public var hasPending: Bool {
        state == .open && !isDrained && SSL_has_pending(pointer) == 1
    }

    /// Tells the peer that nothing follows, as far as the socket takes it now; ``flush()`` before. Close the socket
    /// afterwards.
    public func close() {
        defer { state = .over }
        // After a failure OpenSSL forbids further calls, and before the handshake's end there is nobody to tell.
        guard state == .open else { return }
        prepare()
        SSL_shutdown(pointer)
        ERR_clear_error()
    }

    /// OpenSSL judges an outcome by the thread's error queue and errno: both must hold nothing old.
    private func prepare() {
        ERR_clear_error()
        gridrelay_errno_clear()
    }

    private func transfer(failedWith status: Int32) -> TLSTransfer {
        switch SSL_get_error(pointer, status) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN: return .closed
        case let kind:
            state = .over
            return .failed(TLSFailure.text(kind: kind, side: side, duringHandshake: false))
        }
    }
}
