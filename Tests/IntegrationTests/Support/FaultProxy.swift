import Glibc
import Synchronization

/// Stands between two nodes and breaks their connection on demand. TLS goes through it untouched.
final class FaultProxy: Sendable {
    enum Mode: Sendable {
        case passing
        /// Connections are reset, new ones too.
        case cut
        /// Connections stay, and nothing comes through: a firewall that has forgotten them.
        case silent
    }

    private struct State {
        var mode = Mode.passing
        var isStopped = false
        var bytes: UInt64 = 0
    }

    /// What the test's thread and the proxy's share.
    private final class Shared: Sendable {
        private let state = Mutex(State())
        func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }
    }

    let port: UInt16
    private let target: UInt16
    private let listening: Int32
    private let state = Shared()
    private let bell: (read: Int32, write: Int32)

    /// - Parameter target: the port of the loopback interface that connections go on to.
    init(to target: UInt16) throws {
        signal(SIGPIPE, SIG_IGN)
        self.target = target
        listening = try Ports.bound()
        port = try Ports.port(of: listening)
        guard listen(listening, 64) == 0 else { throw SystemFailure("listen") }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemFailure("pipe") }
        bell = (ends[0], ends[1])
        try Threads.run { [listening, state, bell, target] in
            var loop = Loop(listening: listening, bell: bell.read, target: target)
            loop.run(state)
            for descriptor in [listening, bell.read, bell.write] { close(descriptor) }
        }
    }

    deinit { change { $0.isStopped = true } }

    var mode: Mode {
        get { state.withLock { $0.mode } }
        set { change { $0.mode = newValue } }
    }

    /// Bytes that went through, both ways.
    var bytes: UInt64 { state.withLock { $0.bytes } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        var byte: UInt8 = 1
        _ = write(bell.write, &byte, 1)
    }

    /// What the proxy's own thread holds. Blocking writes do: one direction of a link that is full holds the other up
    /// for a moment, and both ends read whatever happens.
    private struct Loop {
        let listening: Int32
        let bell: Int32
        let target: UInt16
        var pairs: [(near: Int32, far: Int32)] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)

        init(listening: Int32, bell: Int32, target: UInt16) {
            (self.listening, self.bell, self.target) = (listening, bell, target)
        }

        mutating func run(_ state: Shared) {
            while true {
                let now = state.withLock { ($0.mode, $0.isStopped) }
                if now.0 == .cut || now.1 { resetAll() }
                if now.1 { return }
                var polls = [
                    pollfd(fd: bell, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: listening, events: Int16(POLLIN), revents: 0),
                ]
                if now.0 == .passing {
                    for pair in pairs {
                        polls.append(pollfd(fd: pair.near, events: Int16(POLLIN), revents: 0))
                        polls.append(pollfd(fd: pair.far, events: Int16(POLLIN), revents: 0))
                    }
                }
                guard poll(&polls, nfds_t(polls.count), -1) >= 0 || errno == EINTR else { return }
                if polls[0].revents != 0 { _ = read(bell, &buffer, 64) }
                var ended: [Int] = []
                if now.0 == .passing {
                    var count: UInt64 = 0
                    for index in pairs.indices where !forward(index, polls, &count) { ended.append(index) }
                    state.withLock { $0.bytes += count }
                }
                for index in ended.reversed() { reset(pairs.remove(at: index)) }
                if polls[1].revents != 0 { acceptOne(now.0) }
            }
        }

        private mutating func forward(_ index: Int, _ polls: [pollfd], _ count: inout UInt64) -> Bool {
            let pair = pairs[index]
            for (offset, from, to) in [(0, pair.near, pair.far), (1, pair.far, pair.near)]
            where polls[2 + 2 * index + offset].revents != 0 {
                let got = recv(from, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if got < 0, errno == EAGAIN || errno == EINTR { continue }
                guard got > 0 else { return false }
                var sent = 0
                while sent < got {
                    let done = buffer.withUnsafeBytes { bytes in
                        send(to, bytes.baseAddress.map { $0 + sent }, got - sent, Int32(MSG_NOSIGNAL))
                    }
                    guard done > 0 else { return false }
                    sent += done
                }
                count += UInt64(got)
            }
            return true
        }

        private mutating func acceptOne(_ mode: Mode) {
            let near = accept(listening, nil, nil)
            guard near >= 0 else { return }
            guard mode != .cut, let far = try? Ports.connect(to: target) else {
                return reset((near, -1))
            }
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            for descriptor in [near, far] {
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            }
            pairs.append((near, far))
        }

        private mutating func resetAll() {
            for pair in pairs { reset(pair) }
            pairs = []
        }

        private func reset(_ pair: (near: Int32, far: Int32)) {
            var at = linger(l_onoff: 1, l_linger: 0)
            for descriptor in [pair.near, pair.far] where descriptor >= 0 {
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at, socklen_t(MemoryLayout<linger>.size))
                close(descriptor)
            }
        }
    }
}
