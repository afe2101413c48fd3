import Envelope
import Testing

@testable import Link

@Suite struct SessionErrorTests {
    private static let errors: [(SessionError, ByeReason, tells: String)] = [
        (.notThisProtocol, .protocolError, "protocol"),
        (.noCommonVersion(peerLowest: 7, peerHighest: 9), .versionMismatch, "7 to 9"),
        (.wrongName(claimed: "a/b", certified: "c/d"), .notAllowed, "a/b but its certificate names c/d"),
        (.unknownFrame(77), .protocolError, "77"), (.frameTooLong(1234, limit: 99), .protocolError, "1234 bytes, 99"),
        (.malformed("half a frame"), .protocolError, "half a frame"),
        (.unexpected("a second hello"), .protocolError, "a second hello at the wrong time"),
        (.overCredit, .protocolError, "credit"), (.helloTooLate, .silent, "in time"),
        (.silent, .silent, "\(Limits.silence.components.seconds) s"),
        (.notReading, .silent, "\(Limits.unreadBytes >> 20) MiB"), (.left(.stopping, ""), .stopping, "it is stopping"),
        (.left(.replaced, "why not"), .stopping, "(why not)"),
    ]

    /// What is wrong is told to people with its facts, and to the peer in a word that it knows.
    @Test(arguments: errors.indices)
    func everyErrorIsToldToBoth(index: Int) {
        let (error, reason, tells) = Self.errors[index]
        #expect(error.description.contains(tells), "\(error)")
        #expect(error.bye == reason)
    }

    /// A peer may write anything into its farewell and its name.
    @Test func whatAPeerSaysIsToldInShort() {
        let long = String(repeating: "x", count: 5000)
        #expect(SessionError.left(.silent, long).description.utf8.count < 400)
        #expect(SessionError.wrongName(claimed: long, certified: "a/b").description.utf8.count < 400)
    }

    @Test func everyReasonHasWordsOfItsOwn() {
        let byes = (1...6 as ClosedRange<UInt8>).compactMap { ByeReason(rawValue: $0)?.description }
        #expect(Set(byes).count == 6 && ByeReason(rawValue: 0) == nil && ByeReason(rawValue: 7) == nil)
        let refusals = (1...6 as ClosedRange<UInt8>).compactMap { RefusalReason(rawValue: $0)?.description }
        #expect(Set(refusals).count == 6 && RefusalReason(rawValue: 7) == nil)
    }
}
