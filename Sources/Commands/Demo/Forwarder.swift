import Glibc
import Synchronization

/// A TCP line on loopback that can be cut, hung and healed: bytes go through as they come, and are kept for a look at what
/// passed. It has a thread of its own.
final class Forwarder: Sendable {
    struct State: Sendable {
        var isCut = false
        var isHung = false
        var isOver = false
        /// What passed, by direction: from the end that dials, from the end that listens.
        var capture: [[UInt8]] = [[], []]
        var passed: UInt64 = 0
        /// Connections that stand.
        var connections = 0
    }

    /// Bytes kept in each direction; what passes beyond is forwarded and not kept.
    static let captureBytes = 32 << 20

    /// Where to dial on 127.0.0.1.
    let port: UInt16
    private let state = Mutex(State())
    private let bell: (read: Int32, write: Int32)
    private let thread = Mutex<pthread_t?>(nil)

    /// - Parameter target: where each connection is led to on 127.0.0.1.
    init(to target: UInt16) throws(Failure) {
        guard let listener = Loopback.socket(), Loopback.bind(listener, port: 0), listen(listener, 16) == 0 else {
            throw Failure("the demo's line cannot listen: \(String(cString: strerror(errno)))")
        }
        guard let bell = Loopback.pair(isBlocking: false) else {
            close(listener)
            throw Failure("no pair of sockets: \(String(cString: strerror(errno)))")
        }
        port = Loopback.port(of: listener)
        self.bell = bell
        let loop = ForwarderLoop(self, listener: listener, bell: bell.read, target: target)
        let context = Unmanaged.passRetained(loop).toOpaque()
        var handle = pthread_t()
        let status = pthread_create(&handle, nil, Self.main, context)
        guard status == 0 else {
            Unmanaged<ForwarderLoop>.fromOpaque(context).release()
            throw Failure("no thread: \(String(cString: strerror(status)))")
        }
        thread.withLock { $0 = handle }
    }

    /// Outside every actor: it runs on a thread of its own.
    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        if let context { Unmanaged<ForwarderLoop>.fromOpaque(context).takeRetainedValue().run() }
        return nil
    }

    /// Breaks what stands and turns new connections away.
    func cut() { change { $0.isCut = true } }

    /// Keeps what stands and lets nothing through: neither end is told.
    func hang() { change { $0.isHung = true } }

    /// Lets connections and bytes through again.
    func heal() { change { ($0.isCut, $0.isHung) = (false, false) } }

    /// Ends the thread; the port is free then. To be called once, at the end.
    func stop() {
        change { $0.isOver = true }
        guard let handle = thread.withLock({ $0.take() }) else { return }
        pthread_join(handle, nil)
        close(bell.read)
        close(bell.write)
    }

    var current: State { state.withLock { $0 } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        var byte: UInt8 = 1
        _ = write(bell.write, &byte, 1)
    }

    /// For the loop: a change that it need not be told of.
    func note<Result: Sendable>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }
}
