import CUV
import Envelope
import Synchronization

/// Brings work from any thread to a reactor's thread.
///
/// A burst of posts wakes the loop once, and the loop takes all of it at once. Work runs in the order posted.
public final class Mailbox: Sendable {
    /// The handle in it is only used under the lock, and `uv_async_send` may be called from any thread.
    private struct State: @unchecked Sendable {
        var work: [@Sendable () -> Void] = []
        var isClosed = false
        /// Set once, before anybody else can see the mailbox.
        var wake: Handle<uv_async_t>?
    }

    private let state = Mutex(State())
    let thread = ThreadIdentity.current

    init(loop: UnsafeMutablePointer<uv_loop_t>) throws(ReactorError) {
        let handle = try Handle<uv_async_t> { pointer in
            uv_async_init(loop, pointer) { Handle<uv_async_t>.owner(of: $0, as: Mailbox.self)?.drain() }
        }
        handle.report(to: self)
        nonisolated(unsafe) let wake = handle
        state.withLock { $0.wake = wake }
    }

    /// Runs `work` on the reactor's thread in one of its next turns.
    /// - Returns: false where the reactor has shut down; the work is then dropped.
    @discardableResult
    public func post(_ work: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard !state.isClosed, let wake = state.wake else { return false }
            state.work.append(work)
            if state.work.count == 1 { uv_async_send(wake.pointer) }
            return true
        }
    }

    /// Whether the calling thread is the reactor's.
    public var isOnReactorThread: Bool { thread == .current }

    private func drain() {
        let work = state.withLock { state in
            defer { state.work = [] }
            return state.work
        }
        for item in work { item() }
    }

    /// Called on the reactor's thread.
    func close() {
        let (wake, work) = state.withLock { state in
            defer {
                state.isClosed = true
                state.wake = nil
                state.work = []
            }
            nonisolated(unsafe) let wake = state.wake
            return (wake, state.work)
        }
        wake?.close()
        _ = consume work
    }
}
