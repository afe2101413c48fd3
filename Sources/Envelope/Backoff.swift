/// How long to wait before the next attempt at something that failed: doubles from ``shortest`` to ``longest``,
/// each time shortened at random down to a half, so that a thousand nodes that lost the same relay do not come
/// back at the same moment. It never gives up.
public struct Backoff: Equatable, Sendable {
    public let shortest: Duration
    public let longest: Duration
    /// A session must have lasted this long for the next failure to count as the first one again.
    public let steadyAfter: Duration
    /// Failures since the last steady session.
    public private(set) var failures = 0

    public init(
        shortest: Duration = .milliseconds(100), longest: Duration = .seconds(30), steadyAfter: Duration = .seconds(10)
    ) {
        precondition(shortest > .zero && longest >= shortest, "the delays of a back-off rise from above zero")
        self.shortest = shortest
        self.longest = longest
        self.steadyAfter = steadyAfter
    }

    /// Between attempts to dial a neighbour. A dial costs little, and a node that is back should not be waited for.
    public static let ofLinks = Backoff(
        shortest: .milliseconds(50), longest: .milliseconds(500), steadyAfter: .seconds(5))

    /// The delay before the next attempt, between a half and the whole of the current step.
    /// - Parameter random: a uniformly random word, such as ``Entropy/word()`` gives.
    public mutating func next(random: UInt64) -> Duration {
        let step = currentStep.wholeNanoseconds
        failures = min(failures + 1, 1_000_000)
        let half = step / 2
        let share = Double(random >> 11) / Double(UInt64(1) << 53)
        return .nanoseconds(half + Int64(Double(step - half) * share))
    }

    /// To be told how long a session lasted once it has ended.
    public mutating func sessionEnded(after lasted: Duration) {
        if lasted >= steadyAfter { failures = 0 }
    }

    public mutating func reset() { failures = 0 }

    private var currentStep: Duration {
        var step = shortest
        var doublings = failures
        while doublings > 0, step < longest {
            step = min(longest, step * 2)
            doublings -= 1
        }
        return step
    }
}
