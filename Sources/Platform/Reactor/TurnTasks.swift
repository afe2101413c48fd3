/// What waits for the end of the turn, or for the next one.
struct TurnTasks {
    private var unread: [Channel] = []
    private var closed: [Channel] = []
    private var once: [() -> Void] = []
    private var always: [TurnHook] = []

    /// Whether something waits that must not wait for an event.
    var areDue: Bool { !unread.isEmpty || !closed.isEmpty || !once.isEmpty }

    mutating func addUnread(_ channel: Channel) { unread.append(channel) }
    mutating func addClosed(_ channel: Channel) { closed.append(channel) }
    mutating func addOnce(_ action: @escaping () -> Void) { once.append(action) }
    mutating func addAlways(_ hook: TurnHook) { always.append(hook) }

    mutating func takeUnread() -> [Channel] {
        defer { unread.removeAll(keepingCapacity: true) }
        return unread
    }

    mutating func removeAll() { self = TurnTasks() }

    fileprivate mutating func takeClosed() -> [Channel] {
        defer { closed.removeAll(keepingCapacity: true) }
        return closed
    }

    fileprivate mutating func takeOnce() -> [() -> Void] {
        defer { once.removeAll(keepingCapacity: true) }
        return once
    }

    fileprivate mutating func currentHooks() -> [TurnHook] {
        always.removeAll { $0.action == nil }
        return always
    }
}

/// An action that runs at the end of every turn until it is cancelled.
public final class TurnHook {
    fileprivate var action: (() -> Void)?

    init(_ action: @escaping () -> Void) { self.action = action }

    public func cancel() { action = nil }
}

extension Reactor {
    /// Runs `action` once, at the end of this turn; asked for within such an action, at the end of the next one,
    /// which then does not wait for an event.
    public func afterTurn(_ action: @escaping () -> Void) {
        tasks.addOnce(action)
    }

    /// Runs `action` at the end of every turn, after those of ``afterTurn(_:)``.
    @discardableResult
    public func afterEveryTurn(_ action: @escaping () -> Void) -> TurnHook {
        let hook = TurnHook(action)
        tasks.addAlways(hook)
        return hook
    }

    /// Owners hear of closed channels here and not from within their own calls, so that a call that closes a
    /// channel never re-enters its caller. What the owners do about it is still part of this turn.
    func finishTurn() {
        finishClosing()
        for action in tasks.takeOnce() { action() }
        for hook in tasks.currentHooks() { hook.action?() }
    }

    func finishClosing() {
        for channel in tasks.takeClosed() { channel.reportClosed() }
    }
}
