import CUV
import Glibc

extension Reactor {
    /// Calls `action` on this thread each time the process gets the signal, until the reactor goes. Several
    /// actions for one signal all run.
    /// - Throws: ``ReactorError`` for a number that cannot be caught.
    public func onSignal(_ number: Int32, _ action: @escaping () -> Void) throws(ReactorError) {
        signals.append(try SignalWatch(loop: loop, number: number, action: action))
    }
}

final class SignalWatch {
    private let handle: Handle<uv_signal_t>
    private let action: () -> Void

    init(
        loop: UnsafeMutablePointer<uv_loop_t>, number: Int32, action: @escaping () -> Void
    ) throws(ReactorError) {
        self.action = action
        handle = try Handle { uv_signal_init(loop, $0) }
        handle.report(to: self)
        let status = uv_signal_start(
            handle.pointer, { pointer, _ in Handle<uv_signal_t>.owner(of: pointer, as: SignalWatch.self)?.action() },
            number)
        guard status >= 0 else {
            handle.close()
            throw ReactorError(status)
        }
    }

    func close() { handle.close() }
}
