/// Carries a value that belongs to a reactor's thread through places that demand Sendable, such as work posted
/// from other threads. Touching the value anywhere but on that thread stops the process.
///
/// Sound because the value is only ever read, changed and, while the reactor takes work, released on that thread.
public final class ReactorBound<Value>: @unchecked Sendable {
    private var stored: Value?
    let mailbox: Mailbox

    /// Made on the reactor's thread; see ``Reactor/bind(_:)``.
    init(_ value: Value, mailbox: Mailbox) {
        stored = value
        self.mailbox = mailbox
    }

    public var value: Value {
        precondition(mailbox.isOnReactorThread, "a value bound to a reactor was touched on another thread")
        guard let stored else { preconditionFailure("a bound value is there until its box goes") }
        return stored
    }

    /// Posts work that gets the value on its own thread.
    /// - Returns: false where the reactor has shut down; the work is then dropped.
    @discardableResult
    public func post(_ work: @escaping @Sendable (Value) -> Void) -> Bool {
        mailbox.post { work(self.value) }
    }

    deinit {
        guard !mailbox.isOnReactorThread else { return }
        // In a box that is emptied there: this thread may let go of what it has posted later than that runs.
        let last = Last(stored.take())
        mailbox.post { last.value = nil }
    }

    /// Unchecked: touched by the posted work only, once it is made; by nobody else either where the reactor is gone.
    private final class Last: @unchecked Sendable {
        var value: Value?
        init(_ value: consuming Value?) { self.value = value }
    }
}

extension Reactor {
    public func bind<Value>(_ value: Value) -> ReactorBound<Value> {
        ReactorBound(value, mailbox: mailbox)
    }
}
