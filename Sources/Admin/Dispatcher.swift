import CMicroHTTPD
import Node
import Synchronization

/// What the library's callbacks reach: the handler, and the budget that all requests share.
final class Dispatcher: Sendable {
    private let handler: @Sendable (AdminRequest) -> AdminResponse
    private let bodyBytes = Mutex(0)

    init(handler: @escaping @Sendable (AdminRequest) -> AdminResponse) { self.handler = handler }

    /// False where the bodies under way already fill what all of them may have.
    func reserve(_ bytes: Int) -> Bool {
        bodyBytes.withLock { held in
            guard held + bytes <= Server.Bounds.bodyBytesTogether else { return false }
            held += bytes
            return true
        }
    }

    func free(_ bytes: Int) {
        bodyBytes.withLock { $0 -= bytes }
    }

    func answer(_ call: IncomingCall) -> EncodedResponse {
        switch call.trouble {
        case .tooLarge: Self.tooLarge
        case .overloaded: Self.overloaded
        case nil: EncodedResponse(handler(call.request))
        }
    }

    static let tooLarge = EncodedResponse(
        .problem(
            status: 413, "the body is larger than \(Server.Bounds.bodyBytes >> 20) MiB",
            hint: "send it in smaller parts, or let the agent collect it as a file"))
    static let overloaded = EncodedResponse(
        .problem(status: 503, "too many large requests at once", hint: "try again in a second"))
}

/// One request while its body comes in. Used by one thread at a time: the connection's.
final class IncomingCall {
    enum Trouble { case tooLarge, overloaded }

    private(set) var request: AdminRequest
    private(set) var trouble: Trouble?
    private let dispatcher: Dispatcher
    private var reserved = 0
    private var discarded = 0

    init(_ request: AdminRequest, _ dispatcher: Dispatcher) {
        self.request = request
        self.dispatcher = dispatcher
    }

    deinit { dispatcher.free(reserved) }

    /// - Returns: false where the caller goes on for so long after the limit that the connection should go.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if trouble == nil {
            if request.body.count + bytes.count > Server.Bounds.bodyBytes {
                refuse(.tooLarge)
            } else if !dispatcher.reserve(bytes.count) {
                refuse(.overloaded)
            } else {
                reserved += bytes.count
                request.body.append(contentsOf: bytes)
                return true
            }
        }
        discarded += bytes.count
        return discarded <= Server.Bounds.bodyBytes
    }

    private func refuse(_ trouble: Trouble) {
        self.trouble = trouble
        request.body = []
        dispatcher.free(reserved)
        reserved = 0
    }
}
