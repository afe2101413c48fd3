import Envelope
import Synchronization

/// One answer that one thread gives and another waits for.
final class Reply<Answer: Sendable>: Sendable {
    private let answer = Mutex<Answer?>(nil)
    private let arrived = Gate()

    /// The first filling counts.
    func fill(_ value: Answer) {
        answer.withLock { if $0 == nil { $0 = value } }
        arrived.open()
    }

    /// - Returns: nil where the limit passed first.
    func wait(within limit: Duration) -> Answer? {
        arrived.wait(within: limit)
        return answer.withLock { $0 }
    }

    func wait() -> Answer {
        while true {
            if let answer = wait(within: .seconds(3600)) { return answer }
        }
    }
}
