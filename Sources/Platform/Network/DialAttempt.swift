import CUV
import Crypto
import Envelope
import Glibc

/// Brings a channel its connected socket: resolves, tries one address after the other, talks to the proxy.
final class DialAttempt {
    private enum Step {
        case resolving(Resolution)
        case connecting(Int32, Poller)
        case asking(Int32, Poller, ProxyConversation, unsent: ArraySlice<UInt8>)
        case over
    }

    private unowned let channel: Channel
    private let reactor: Reactor
    private let host: String
    private let port: UInt16
    private let context: TLSContext
    private let handshakeTimeout: Duration
    private let proxy: ProxyAddress?
    private var step = Step.over
    private var untried: ArraySlice<SocketAddress> = []
    /// The address being tried, for the words of a failure.
    private var current = ""
    private var lastFailure = ""
    private var end = Instant.never
    private var patience: TimerToken?

    init(
        _ channel: Channel, host: String, port: UInt16, context: TLSContext, handshakeTimeout: Duration,
        proxy: ProxyAddress?
    ) {
        self.channel = channel
        reactor = channel.reactor
        self.host = host
        self.port = port
        self.context = context
        self.handshakeTimeout = handshakeTimeout
        self.proxy = proxy
    }

    func start(within timeout: Duration) {
        end = reactor.now + timeout
        channel.setDeadline(after: timeout, .dialTimedOut)
        let target = proxy?.host ?? host
        step = .resolving(
            Resolution.ask(reactor, host: target, port: proxy?.port ?? port) { [weak self] in self?.resolved($0) })
    }

    /// Frees what the attempt holds; the channel hears no more of it.
    func cancel() {
        if let patience { reactor.cancel(patience) }
        switch step {
        case .resolving(let resolution):
            resolution.cancel()
        case .connecting(let descriptor, let poller), .asking(let descriptor, let poller, _, _):
            poller.close()
            close(descriptor)
        case .over:
            break
        }
        step = .over
    }

    private func resolved(_ answer: Resolution.Answer) {
        switch answer {
        case .failed(let text):
            fail(.unresolved("\(proxy?.host ?? host): \(text)"))
        case .addresses(let addresses):
            untried = addresses[...]
            step = .over
            connectNext()
        }
    }

    private func fail(_ reason: CloseReason) {
        cancel()
        channel.finish(reason)
    }
}

// MARK: - Connecting

extension DialAttempt: PollerOwner {
    private func connectNext() {
        cancel()
        guard let address = untried.popFirst() else { return fail(.unreachable(lastFailure)) }
        current = address.description
        let descriptor = cuv_socket(address.family)
        guard descriptor >= 0 else { return connectFailed(errno) }
        let status = address.withSockaddr { connect(descriptor, $0, $1) }
        guard status == 0 || errno == EINPROGRESS else {
            let code = errno
            close(descriptor)
            return connectFailed(code)
        }
        do {
            let poller = try Poller(reactor, descriptor: descriptor, owner: self)
            step = .connecting(descriptor, poller)
            poller.watch(.writable)
            limitThisAddress()
        } catch {
            close(descriptor)
            connectFailed(-error.code)
        }
    }

    /// A firewall that drops packets must not eat the time of the addresses after it.
    private func limitThisAddress() {
        guard !untried.isEmpty else { return }
        let share = (end - reactor.now) / (untried.count + 1)
        patience = reactor.schedule(after: share) { [weak self] in self?.connectFailed(ETIMEDOUT) }
    }

    private func connectFailed(_ code: Int32) {
        lastFailure = "\(current): \(SystemError.text(code))"
        connectNext()
    }

    func pollerReady(readable: Bool, writable: Bool, failed: Bool) {
        switch step {
        case .connecting(let descriptor, let poller):
            let code = Socket.takeError(descriptor)
            code == 0 ? connected(descriptor, poller) : connectFailed(code)
        case .asking(let descriptor, let poller, let conversation, let unsent):
            if failed { return fail(.proxyRefused(SystemError.text(Socket.takeError(descriptor)))) }
            converse(descriptor, poller, conversation, unsent)
        case .resolving, .over:
            break
        }
    }

    private func connected(_ descriptor: Int32, _ poller: Poller) {
        if let patience { reactor.cancel(patience) }
        guard let proxy else { return handOver(descriptor, poller) }
        guard let conversation = ProxyConversation(host: host, port: port, credentials: proxy.credentials) else {
            return fail(.unresolved("'\(host)' is no host name"))
        }
        converse(descriptor, poller, conversation, conversation.request[...])
    }

    private func handOver(_ descriptor: Int32, _ poller: Poller) {
        poller.close()
        step = .over
        channel.attach(descriptor, context: context, side: .client, handshakeTimeout: handshakeTimeout)
    }
}

// MARK: - Asking a proxy

extension DialAttempt {
    private func converse(
        _ descriptor: Int32, _ poller: Poller, _ conversation: ProxyConversation, _ unsent: ArraySlice<UInt8>
    ) {
        var unsent = unsent
        var conversation = conversation
        if !unsent.isEmpty {
            let count = unsent.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 || errno == EAGAIN || errno == EINTR else {
                return fail(.proxyRefused(SystemError.text(errno)))
            }
            unsent.removeFirst(max(0, count))
        }
        let progress = receive(descriptor, &conversation)
        switch progress {
        case .needsMore:
            step = .asking(descriptor, poller, conversation, unsent: unsent)
            poller.watch(unsent.isEmpty ? .readable : [.readable, .writable])
        case .open:
            handOver(descriptor, poller)
        case .refused(let text):
            fail(.proxyRefused(text))
        }
    }

    private func receive(_ descriptor: Int32, _ conversation: inout ProxyConversation) -> ProxyConversation.Progress {
        var bytes = [UInt8](repeating: 0, count: 2048)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno == EAGAIN ? .needsMore : .refused(SystemError.text(errno)) }
            if count == 0 { return .refused("it closed the connection") }
            let progress = conversation.receive(bytes.prefix(count))
            if progress != .needsMore { return progress }
        }
    }
}
