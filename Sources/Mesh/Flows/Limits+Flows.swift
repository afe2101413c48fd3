import Envelope

extension Limits {
    // MARK: Flows

    /// Flows one mesh may declare; each is looked at once for a new pair of addresses.
    public static let flows = 4096
    /// Patterns on either side of one flow.
    public static let flowPatterns = 1024
    /// Characters of a flow's name: it stands in reports and metrics.
    public static let flowNameLength = 63
    /// Answers remembered for pairs of addresses (some 48 bytes each); past it the memory starts anew, so that made-up
    /// addresses cost time but never memory.
    public static let flowDecisions = 65_536
}
