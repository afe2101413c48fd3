import Envelope
import Synchronization

extension Mailbox {
    /// Runs `work` on the reactor's thread and waits for its answer: for threads that may block, such as an admin
    /// server's. On the reactor's own thread it just runs.
    /// - Parameter limit: how long to wait. Work that has not begun by then still runs, and its answer is dropped.
    /// - Throws: ``MailboxError``.
    public func ask<Answer: Sendable>(
        within limit: Duration = .seconds(10), _ work: @escaping @Sendable () -> Answer
    ) throws(MailboxError) -> Answer {
        if isOnReactorThread { return work() }
        let reply = Reply<Outcome<Answer>>()
        let courier = Courier(reply)
        guard post({ courier.reply.fill(.answered(work())) }) else { throw .closed }
        _ = consume courier
        switch reply.wait(within: limit) {
        case .answered(let answer): return answer
        case .dropped: throw .closed
        case nil: throw .timedOut
        }
    }
}

/// Why a question to a reactor got no answer.
public enum MailboxError: Error, Equatable, CustomStringConvertible {
    case closed
    case timedOut

    public var description: String {
        switch self {
        case .closed: "the node is shutting down"
        case .timedOut: "the node is too busy to answer in time; try again"
        }
    }
}

private enum Outcome<Answer: Sendable>: Sendable {
    case answered(Answer)
    case dropped
}

/// Held by the posted work alone: when that is dropped unrun, so is this, and the asker need not wait.
private final class Courier<Answer: Sendable>: Sendable {
    let reply: Reply<Outcome<Answer>>
    init(_ reply: Reply<Outcome<Answer>>) { self.reply = reply }
    deinit { reply.fill(.dropped) }
}
