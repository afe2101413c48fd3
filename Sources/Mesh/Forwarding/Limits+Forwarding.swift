import Envelope

extension Limits {
    /// Two sessions with one neighbour that come about within this time came from both ends dialling at once; both ends
    /// then keep the same one. Later, the newer one is kept: the older is dead and does not know.
    static let simultaneous: Duration = .seconds(2)
    /// How exactly sessions are told the time: with thousands of them, none is asked in every turn.
    static let sessionTick: Duration = .milliseconds(50)
    /// Bytes of slabs beyond twice what lies in them, before what is left in thin ones is moved together.
    static let sparseBytes = 32 << 20
    /// Longest wait a neighbour's refusal can impose.
    static let longestRefusal: Duration = .seconds(60)
    /// How soon an envelope that names a node not heard of yet should be tried again: the news may be a moment behind it.
    static let unknownNodeDelay: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)
    /// Shortest wait after a refusal, so that two nodes do not toss an envelope to and fro.
    static let shortestRefusal: Duration = .milliseconds(10)
}
