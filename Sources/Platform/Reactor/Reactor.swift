import CUV
import Envelope
import Glibc

/// One event loop on one thread: sockets, timers, signals and posted work, all called on that thread.
///
/// Not Sendable: made, used and dropped on its thread. Others reach it through its ``mailbox``.
///
/// A turn is: wait for events; serve sockets, posted work and signals; serve channels whose TLS layer still holds
/// bytes; fire due timers; then everything asked for with ``afterTurn(_:)`` and ``afterEveryTurn(_:)``. So a shell
/// gathers what a turn brings and writes once, at its end.
public final class Reactor {
    /// How other threads bring work to this loop.
    public let mailbox: Mailbox

    let loop: UnsafeMutablePointer<uv_loop_t>
    let thread = ThreadIdentity.current
    let timers = TimerQueue()
    var tasks = TurnTasks()
    /// What must be closed before the loop can go, by identity.
    var residents: [ObjectIdentifier: any Resident] = [:]
    /// Counts turns, so that a channel is not served twice in one.
    private(set) var turn: UInt64 = 0

    private let alarm: Handle<uv_timer_t>
    private var cachedNow: Instant?
    private var stopping = false
    var signals: [SignalWatch] = []

    /// Also makes the process ignore SIGPIPE, since OpenSSL writes to sockets whose peer may have gone.
    public init() throws(ReactorError) {
        Process.ignoreSIGPIPE()
        let loop = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        let status = uv_loop_init(loop)
        guard status >= 0 else {
            loop.deallocate()
            throw ReactorError(status)
        }
        self.loop = loop
        alarm = try Handle { uv_timer_init(loop, $0) }
        mailbox = try Mailbox(loop: loop)
    }

    deinit {
        mailbox.close()
        alarm.close()
        for watch in signals { watch.close() }
        while uv_loop_close(loop) == UV_EBUSY.rawValue {
            uv_run(loop, UV_RUN_ONCE)
        }
        loop.deallocate()
    }

    /// The time as of this turn: read from the clock once, then kept until the loop waits again.
    public var now: Instant {
        if let cachedNow { return cachedNow }
        let now = Clock.now
        cachedNow = now
        return now
    }

    /// Serves events until ``stop()``; may be called again after it.
    public func run() {
        precondition(thread == .current, "a reactor runs on the thread that made it")
        stopping = false
        while !stopping { runTurn() }
    }

    /// Ends ``run()`` after the current turn.
    public func stop() { stopping = true }

    /// Closes every channel, listener and dial of this loop, tells their owners, and forgets timers and posted
    /// work. For the end of a thread: without it, open sockets keep the reactor alive.
    public func shutDown() {
        for resident in residents.values.map({ $0 }) { resident.leave() }
        finishClosing()
        timers.removeAll()
        tasks.removeAll()
        mailbox.close()
    }

    private func runTurn() {
        let unread = tasks.takeUnread()
        setAlarm()
        cachedNow = nil
        turn &+= 1
        uv_run(loop, unread.isEmpty && !tasks.areDue && !stopping ? UV_RUN_ONCE : UV_RUN_NOWAIT)
        for channel in unread { channel.serveUnread(turn: turn) }
        timers.fire(at: now)
        finishTurn()
    }

    /// libuv counts whole milliseconds from the start of its turn, so it is only the alarm clock: what is due is
    /// decided by our own clock, and an alarm that rings early is set again.
    private func setAlarm() {
        guard let next = timers.nextDeadline else {
            uv_timer_stop(alarm.pointer)
            return
        }
        let wait = max(0, (next - now).wholeNanoseconds)
        let milliseconds = UInt64(wait / 1_000_000 + (wait % 1_000_000 == 0 ? 0 : 1))
        uv_update_time(loop)
        // libuv rings before it waits where the time is already up; without the stop it would then wait on.
        uv_timer_start(alarm.pointer, { uv_stop($0?.pointee.loop) }, milliseconds, 0)
    }
}

/// Something that lives as long as its descriptor is watched, and must be told when the loop ends.
protocol Resident: AnyObject {
    func leave()
}
