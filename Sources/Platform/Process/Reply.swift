import Envelope
import Synchronization

/// One answer that one thread gives and another waits for.
public final class Reply<Answer: Sendable>: Sendable {
    private let answer = Mutex<Answer?>(nil)
    private let arrived = Gate()

    public init() {}

    /// The first filling counts.
    public func fill(_ value: Answer) {
        answer.withLock { if $0 == nil { $0 = value } }
        arrived.open()
    }

    /// - Returns: nil where the limit passed first.
    public func wait(within limit: Duration) -> Answer? {
        arrived.wait(within: limit)
        return answer.withLock { $0 }
    }

    public func wait() -> Answer {
        while true {
            if let answer = wait(within: .seconds(3600)) { return answer }
        }
    }
}
