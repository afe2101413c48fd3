/// What came of a try to deliver something of the quarantine.
public struct QuarantineOutcome: Codable, Equatable, Sendable {
    public enum Word: String, Codable, Sendable {
        /// Its effect is durable, and it has left the quarantine.
        case delivered
        /// The sink did not take it; it stays.
        case kept
        /// Handed to the sink, and no word yet.
        case underWay
    }

    public var id: String
    public var outcome: Word

    public init(id: String, outcome: Word) {
        self.id = id
        self.outcome = outcome
    }
}
