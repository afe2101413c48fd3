import Envelope

/// When a stream's oldest envelopes are sent again, as a machine without I/O.
///
/// A receipt that does not come has two causes that look alike: a relay lost what it kept, or the way is down and relays
/// keep it well. Copies help in the first case and fill the relays' stores in the second, so:
/// - while receipts come, however late, nothing is sent again;
/// - without any, the wait doubles from try to try up to ``longestWait``;
/// - where receipts came for exactly what was sent again and for nothing behind it, the rest is lost too: it follows
///   after a short pause, in batches that double.
struct Resending {
    /// Envelopes in a first try.
    static let firstBatch = 64
    /// Envelopes in the largest; some 4 MiB of small ones.
    static let largestBatch = 4096
    /// What the wait may double to: how long a loss may stay unnoticed once the way is back.
    static let longestWait: Duration = .seconds(3600)
    /// How long receipts for what lies behind a batch are awaited. Receipts are gathered for some milliseconds.
    static let pause: Duration = .seconds(1)

    private(set) var batch = firstBatch
    /// Batches since the last receipt.
    private var tries = 0
    /// The last envelope of the last batch that was sent again.
    private var through = Sequence.none
    private var receiptedAt = Instant.zero
    /// The last batch has its receipts, and nothing behind it has.
    private var isAnswered = false

    /// - Parameters:
    ///   - departed: when the oldest envelope last left.
    ///   - wait: how long a receipt may take.
    func due(departed: Instant, after wait: Duration) -> Instant {
        if isAnswered { return receiptedAt + Self.pause }
        let longest = max(wait, Self.longestWait)
        // Twelve doublings lead from one second past an hour.
        return max(departed, receiptedAt) + min(longest, wait * (1 << min(tries, 12)))
    }

    mutating func receipted(through mark: Sequence, at now: Instant) {
        receiptedAt = now
        tries = 0
        isAnswered = mark == through
        // Receipts for a batch may come in parts.
        if isAnswered { batch = min(batch * 2, Self.largestBatch) }
        if mark > through { batch = Self.firstBatch }
    }

    /// - Parameter last: of the batch; ``Sequence/none`` where nothing could be sent yet.
    mutating func sent(through last: Sequence) {
        guard last != .none else {
            isAnswered = false
            return
        }
        tries += 1
        through = last
        isAnswered = false
    }

    mutating func tryAnew() { tries = 0 }
}
