import CUV
import Envelope
import Glibc
import Synchronization

/// Brings work from any thread to a reactor's thread.
///
/// A burst of posts wakes the loop once, and the loop takes all of it at once. Work runs in the order posted.
public final class Mailbox: Sendable {
    /// Unchecked: the handle in it is only used on the reactor's thread.
    private struct State: @unchecked Sendable {
        var work: [@Sendable () -> Void] = []
        var isClosed = false
        /// Watches the bell.
        var watch: Handle<uv_poll_t>?
    }

    private let state = Mutex(State())
    /// An eventfd, which lives as long as anybody may post. `uv_async_t` has the loop spin until the poster has run on,
    /// and where both share a core that is for nothing.
    private let bell: Int32
    let thread = ThreadIdentity.current

    init(loop: UnsafeMutablePointer<uv_loop_t>) throws(ReactorError) {
        let bell = cuv_eventfd()
        guard bell >= 0 else { throw ReactorError(-errno) }
        self.bell = bell
        let handle = try Handle<uv_poll_t> { uv_poll_init(loop, $0, bell) }
        handle.report(to: self)
        uv_poll_start(handle.pointer, Int32(UV_READABLE.rawValue)) { pointer, _, _ in
            Handle<uv_poll_t>.owner(of: pointer, as: Mailbox.self)?.drain()
        }
        // Unsafe: on its way under the lock only, see there.
        nonisolated(unsafe) let watch = handle
        state.withLock { $0.watch = watch }
    }

    deinit { Glibc.close(bell) }

    /// Runs `work` on the reactor's thread in one of its next turns.
    /// - Returns: false where the reactor has shut down; the work is then dropped.
    @discardableResult
    public func post(_ work: @escaping @Sendable () -> Void) -> Bool {
        let (isTaken, mustRing) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.work.append(work)
            return (true, state.work.count == 1)
        }
        if mustRing { eventfd_write(bell, 1) }
        return isTaken
    }

    /// Whether the calling thread is the reactor's.
    public var isOnReactorThread: Bool { thread == .current }

    private func drain() {
        // Before the work is taken: what comes after it rings again.
        var rings: eventfd_t = 0
        eventfd_read(bell, &rings)
        let work = state.withLock { state in
            defer { state.work = [] }
            return state.work
        }
        for item in work { item() }
    }

    /// Called on the reactor's thread.
    func close() {
        let (watch, work) = state.withLock { state in
            defer { state = State(isClosed: true) }
            // Unsafe: this is the reactor's thread.
            nonisolated(unsafe) let watch = state.watch
            return (watch, state.work)
        }
        watch?.close()
        _ = consume work
    }
}
