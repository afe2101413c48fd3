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

    /// One listening socket and the library's server on it.
    private struct Running {
        /// Belongs to the library, which guards it; only `stop` frees it, once.
        let daemon: OpaquePointer
        /// The socket with a name to remove; nil for a port.
        let socket: ListeningSocket?
        /// Keeps alive what the library's callbacks point to.
        let dispatcher: Dispatcher
    }

    private struct State {
        var admin: Running?
        var metrics: Running?
    }

    private let running = Mutex(UncheckedBox(State()))

    public init() {}

    deinit { stop() }

    /// - Throws: ``ServerError``
    public func start(socket path: String, handler: @escaping @Sendable (AdminRequest) -> AdminResponse) throws {
        try running.withLock { running in
            guard running.value.admin == nil else { throw ServerError.alreadyStarted }
            let socket = try ListeningSocket(path: path)
            do throws(ServerError) {
                running.value.admin = try Self.begin(socket.descriptor, socket, path, handler)
            } catch {
                socket.unlinkOwn()
                throw error
            }
        }
    }

    /// - Throws: ``ServerError``
    public func startMetrics(
        at address: NodeConfiguration.Address, handler: @escaping @Sendable (AdminRequest) -> AdminResponse
    ) throws {
        try running.withLock { running in
            guard running.value.metrics == nil else { throw ServerError.alreadyStarted }
            let port = try ListeningPort(address)
            running.value.metrics = try Self.begin(port.descriptor, nil, "\(address)", handler)
        }
    }

    public func stop() {
        // Taken out first: stopping waits for handlers, and no handler may find the lock held.
        let taken = running.withLock { running in
            let state = running
            running = UncheckedBox(State())
            return state
        }
        for case let running? in [taken.value.metrics, taken.value.admin] {
            running.socket?.unlinkOwn()
            MHD_stop_daemon(running.daemon)
            withExtendedLifetime(running.dispatcher) {}
        }
    }

    /// Takes the descriptor over.
    private static func begin(
        _ descriptor: Int32, _ socket: ListeningSocket?, _ name: String,
        _ handler: @escaping @Sendable (AdminRequest) -> AdminResponse
    ) throws(ServerError) -> Running {
        let dispatcher = Dispatcher(handler: handler)
        let daemon = relay_mhd_start(
            descriptor, Bounds.connections, Bounds.idleSeconds, Callbacks.access, Callbacks.completed,
            Unmanaged.passUnretained(dispatcher).toOpaque())
        guard let daemon else {
            close(descriptor)
            throw .cannotStart(name)
        }
        return Running(daemon: daemon, socket: socket, dispatcher: dispatcher)
    }
}

/// Carries a value whose parts are guarded by other means than the type system sees.
struct UncheckedBox<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
