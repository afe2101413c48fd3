import Envelope
import Glibc
import Synchronization

/// Ctrl-C and its like, noticed at every pause instead of ending the process with a mesh left behind.
enum Interrupt {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    private static let hasCome = Atomic(false)

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// To be called before other threads are started, which then have it from here.
    static func hold() {
        var set = set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    static var isWanted: Bool { hasCome.load(ordering: .relaxed) }

    /// Waits.
    /// - Throws: ``Failure`` once somebody wants an end.
    static func pause(_ duration: Duration) throws(Failure) {
        var set = set
        let milliseconds = max(0, duration.wholeMilliseconds)
        var time = timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
        if sigtimedwait(&set, nil, &time) > 0 { hasCome.store(true, ordering: .relaxed) }
        if isWanted { throw Failure("interrupted") }
    }
}
