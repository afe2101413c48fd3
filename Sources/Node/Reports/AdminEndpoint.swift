/// A question to a node over its admin socket.
public struct AdminRequest: Sendable {
    public var method: String
    /// Path without the query, such as `/v1/status`.
    public var path: String
    public var query: [String: String]
    public var body: [UInt8]

    public init(method: String, path: String, query: [String: String] = [:], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.query = query
        self.body = body
    }
}

/// A node's answer: an HTTP status and a value that the edge writes as JSON, or plain text.
public enum AdminResponse: Sendable {
    case json(status: Int, any Encodable & Sendable)
    case text(status: Int, contentType: String, String)
    case bytes(status: Int, [UInt8])
}

/// What the roles need of the edge that serves their admin socket. The programs hand one in, so that no role
/// depends on an HTTP library.
public protocol AdminEndpoint: Sendable {
    /// Starts serving on a Unix socket (mode 0600). `handler` is called on the server's own threads, several at
    /// a time, and may block.
    /// - Throws: an error that tells why the socket cannot be had.
    func start(socket path: String, handler: @escaping @Sendable (AdminRequest) -> AdminResponse) throws
    /// Serves metrics and health on TCP too, to anybody on this machine. `handler` is called as above.
    /// - Precondition: `address` is one of the loopback's; see ``NodeConfiguration/metrics``.
    /// - Throws: an error that tells why the port cannot be had.
    func startMetrics(
        at address: NodeConfiguration.Address, handler: @escaping @Sendable (AdminRequest) -> AdminResponse) throws
    /// Stops serving and removes the socket; returns once no handler runs any more.
    func stop()
}

extension AdminEndpoint {
    /// Serves a node's socket, and its metrics where the configuration says so.
    /// - Throws: as both do; nothing is served then.
    public func start(
        _ configuration: NodeConfiguration, handler: @escaping @Sendable (AdminRequest) -> AdminResponse
    ) throws {
        try start(socket: configuration.adminSocket, handler: handler)
        guard let address = configuration.metrics else { return }
        do {
            try startMetrics(at: address) { request in
                request.isPublic ? handler(request) : .notFound(request, known: AdminRequest.publicPaths)
            }
        } catch {
            stop()
            throw error
        }
    }
}

extension AdminRequest {
    /// What may be asked where anybody on the machine can ask: figures and health, no names of messages, no action.
    public static let publicPaths = ["/metrics", "/healthz", "/readyz"]

    public var isPublic: Bool { method == "GET" && Self.publicPaths.contains(path) }
}
