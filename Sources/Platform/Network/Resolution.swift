import CUV
import Glibc

/// One question to the system's resolver, asked on libuv's threads so that the loop does not wait.
final class Resolution {
    enum Answer {
        case addresses([SocketAddress])
        case failed(String)
    }

    private var completion: ((Answer) -> Void)?

    private init(_ completion: @escaping (Answer) -> Void) { self.completion = completion }

    /// Calls `completion` once, in a later turn.
    static func ask(
        _ reactor: Reactor, host: String, port: UInt16, completion: @escaping (Answer) -> Void
    ) -> Resolution {
        let resolution = Resolution(completion)
        if let address = SocketAddress(figures: host, port: port) {
            reactor.afterTurn { resolution.finish(.addresses([address])) }
        } else {
            resolution.start(reactor, host: host, port: port)
        }
        return resolution
    }

    /// The completion is not called any more.
    func cancel() { completion = nil }

    /// A reactor that goes meanwhile waits for the answer, since the question may be on another thread.
    private func start(_ reactor: Reactor, host: String, port: UInt16) {
        let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let status = uv_getaddrinfo(
            reactor.loop, request,
            { request, status, list in
                guard let request, let data = request.pointee.data else { return }
                let resolution = Unmanaged<Resolution>.fromOpaque(data).takeRetainedValue()
                resolution.answered(status, list)
                uv_freeaddrinfo(list)
                request.deallocate()
            }, host, String(port), &hints)
        guard status != 0 else { return }
        Unmanaged.passUnretained(self).release()
        request.deallocate()
        reactor.afterTurn { self.finish(.failed(String(cString: uv_strerror(status)))) }
    }

    private func answered(_ status: Int32, _ list: UnsafeMutablePointer<addrinfo>?) {
        guard status == 0 else { return finish(.failed(String(cString: uv_strerror(status)))) }
        let addresses = SocketAddress.all(in: list)
        finish(addresses.isEmpty ? .failed("no IPv4 or IPv6 address") : .addresses(addresses))
    }

    private func finish(_ answer: Answer) {
        let completion = completion
        self.completion = nil
        completion?(answer)
    }
}
