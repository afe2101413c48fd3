import Envelope

/// A one-shot timer; see ``Reactor/schedule(at:_:)``. Dropping the token does not cancel.
public struct TimerToken {
    let entry: TimerEntry
}

extension Reactor {
    /// Calls `action` once, in the first turn at or after `deadline`. A deadline of ``Envelope/Instant/never``
    /// never fires.
    @discardableResult
    public func schedule(at deadline: Instant, _ action: @escaping () -> Void) -> TimerToken {
        let entry = TimerEntry(isOneShot: true, action: action)
        timers.arm(entry, at: deadline)
        return TimerToken(entry: entry)
    }

    /// Calls `action` once, `delay` from now.
    @discardableResult
    public func schedule(after delay: Duration, _ action: @escaping () -> Void) -> TimerToken {
        schedule(at: now + delay, action)
    }

    /// Does nothing where the timer has fired.
    public func cancel(_ token: TimerToken) {
        timers.forget(token.entry)
    }
}

/// One deadline that is set anew as often as its owner likes: the clock of a core with a `nextDeadline`.
///
/// Arming costs O(log n) of the armed timers and no allocation. Firing disarms it; the action usually arms it anew.
public final class DeadlineTimer {
    private let reactor: Reactor
    private let entry: TimerEntry

    /// - Parameter action: called on the reactor's thread. It is kept as long as the timer lives, so capture the
    ///   owner weakly or unowned where the owner holds the timer.
    public init(_ reactor: Reactor, action: @escaping () -> Void) {
        self.reactor = reactor
        entry = TimerEntry(isOneShot: false, action: action)
    }

    deinit { reactor.timers.forget(entry) }

    /// The deadline it is armed for; nil while disarmed.
    public var deadline: Instant? { entry.isArmed ? entry.deadline : nil }

    /// Sets or moves the deadline; nil and ``Envelope/Instant/never`` disarm.
    public func arm(at deadline: Instant?) {
        guard let deadline else { return disarm() }
        if entry.isArmed, entry.deadline == deadline { return }
        reactor.timers.arm(entry, at: deadline)
    }

    public func disarm() { reactor.timers.disarm(entry) }
}
