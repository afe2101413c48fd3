import CMicroHTTPD
import Glibc
import Node
import Synchronization

/// Serves a node's admin API as HTTP on a Unix socket (mode 0600), each connection on a thread of its own.
public final class Server: AdminEndpoint {
    /// Bounds of one admin socket.
    public enum Bounds {
        /// Bytes of a request's body: one sealed body's worth and room for what is around it.
        public static let bodyBytes = 17 << 20
        /// Bytes of all bodies under way, so that callers cannot fill the memory of a node.
        public static let bodyBytesTogether = 4 * bodyBytes
        /// Each connection is a thread.
        public static let connections: UInt32 = 64
        /// Seconds without a byte before a connection is closed.
        public static let idleSeconds: UInt32 = 30
    }

    private struct Running {
        /// Belongs to the library, which guards it; only `stop` frees it, once.
        let daemon: OpaquePointer
        let socket: ListeningSocket
        /// Keeps alive what the library's callbacks point to.
        let dispatcher: Dispatcher
    }

    private let running = Mutex<UncheckedBox<Running>?>(nil)

    public init() {}

    deinit { stop() }

    /// - Throws: ``ServerError``
    public func start(socket path: String, handler: @escaping @Sendable (AdminRequest) -> AdminResponse) throws {
        try running.withLock { running in
            guard running == nil else { throw ServerError.alreadyStarted }
            running = UncheckedBox(try Self.begin(path, handler))
        }
    }

    public func stop() {
        // Taken out first: stopping waits for handlers, and no handler may find the lock held.
        guard let running = running.withLock({ $0.take() })?.value else { return }
        running.socket.unlinkOwn()
        MHD_stop_daemon(running.daemon)
        withExtendedLifetime(running.dispatcher) {}
    }

    private static func begin(
        _ path: String, _ handler: @escaping @Sendable (AdminRequest) -> AdminResponse
    ) throws(ServerError) -> Running {
        let socket = try ListeningSocket(path: path)
        let dispatcher = Dispatcher(handler: handler)
        let daemon = relay_mhd_start(
            socket.descriptor, Bounds.connections, Bounds.idleSeconds, Callbacks.access, Callbacks.completed,
            Unmanaged.passUnretained(dispatcher).toOpaque())
        guard let daemon else {
            socket.unlinkOwn()
            close(socket.descriptor)
            throw .cannotStart(path)
        }
        return Running(daemon: daemon, socket: socket, dispatcher: dispatcher)
    }
}

/// Carries a value whose parts are guarded by other means than the type system sees.
struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
