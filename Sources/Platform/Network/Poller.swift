import CUV

/// What a poller reports.
protocol PollerOwner: AnyObject {
    /// The descriptor can be read or written, as far as it was asked for. `failed` stands for an error on the
    /// socket, which `getsockopt(SO_ERROR)` or the next call tells; the poller then watches nothing any more.
    func pollerReady(readable: Bool, writable: Bool, failed: Bool)
}

/// Watches one descriptor, level-triggered. Close it before the descriptor.
final class Poller {
    struct Interest: OptionSet {
        let rawValue: Int32
        static let readable = Interest(rawValue: Int32(UV_READABLE.rawValue))
        static let writable = Interest(rawValue: Int32(UV_WRITABLE.rawValue))
    }

    private let handle: Handle<uv_poll_t>
    private unowned let owner: any PollerOwner
    private var interest: Interest = []
    private var isClosed = false

    /// Makes the descriptor non-blocking.
    init(_ reactor: Reactor, descriptor: Int32, owner: any PollerOwner) throws(ReactorError) {
        let loop = reactor.loop
        handle = try Handle { uv_poll_init(loop, $0, descriptor) }
        self.owner = owner
        handle.report(to: self)
    }

    deinit { close() }

    func watch(_ wanted: Interest) {
        guard wanted != interest, !isClosed else { return }
        interest = wanted
        uv_poll_start(handle.pointer, wanted.rawValue) { pointer, status, events in
            Handle<uv_poll_t>.owner(of: pointer, as: Poller.self)?.ready(status: status, events: events)
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        handle.close()
    }

    private func ready(status: Int32, events: Int32) {
        if status < 0 { interest = [] }
        let happened = Interest(rawValue: events)
        owner.pollerReady(
            readable: happened.contains(.readable), writable: happened.contains(.writable), failed: status < 0)
    }
}
