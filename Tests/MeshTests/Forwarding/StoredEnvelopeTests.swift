import Envelope
import Testing

@testable import Mesh

@Suite struct StoredEnvelopeTests {
    private let boot = Bytes16(low: 1, high: 2)
    private let start = Instant(nanoseconds: 50_000_000_000)
    private var stored: StoredEnvelope {
        StoredEnvelope(hop: HopFields(hopLimit: 9, age: 700), storedAt: start, boot: boot)
    }

    private func encoded(_ stored: StoredEnvelope) -> [UInt8] {
        var bytes = ByteQueue()
        stored.append(to: &bytes)
        return Array(bytes.readable)
    }

    private func decoded(_ bytes: [UInt8]) -> StoredEnvelope? { bytes.withUnsafeBytes { StoredEnvelope($0) } }

    @Test func readsWhatItWrote() throws {
        let bytes = encoded(stored)
        #expect(bytes.count == StoredEnvelope.prefixBytes)
        let again = try #require(decoded(bytes + [1, 2, 3]))
        #expect(again.hop == stored.hop)
        #expect(again.storedAt == start)
        #expect(again.boot == boot)
    }

    @Test func cutAnywhereItIsNone() {
        let bytes = encoded(stored)
        for length in 0..<bytes.count { #expect(decoded(Array(bytes[..<length])) == nil) }
    }

    @Test func aTimeBeforeTheBootIsNone() {
        var bytes = encoded(stored)
        bytes[15] = 0x80
        #expect(decoded(bytes) == nil)
    }

    @Test func ageGoesOnOverARestartOfTheProcess() {
        #expect(stored.hop(at: start + .milliseconds(300), boot: boot) == HopFields(hopLimit: 9, age: 1000))
    }

    @Test func ageRestsOverARestartOfTheMachine() {
        let other = Bytes16(low: 1, high: 3)
        for later in [start + .seconds(3600), start, Instant(nanoseconds: 5)] {
            #expect(stored.hop(at: later, boot: other) == stored.hop)
        }
    }

    @Test func aClockBehindTheWritingAddsNothing() {
        #expect(stored.hop(at: Instant(nanoseconds: 0), boot: boot) == stored.hop)
        #expect(stored.hop(at: start, boot: boot) == stored.hop)
    }

    @Test func ageStopsAtItsGreatest() {
        let old = StoredEnvelope(hop: HopFields(age: .max - 5), storedAt: Instant(nanoseconds: 0), boot: boot)
        #expect(old.hop(at: Instant(nanoseconds: .max), boot: boot).age == .max)
    }

    /// Where the kernel does not tell its boot, two boots look alike.
    @Test func anUnknownBootIsNeverTheSame() {
        let unknown = Bytes16(low: 0, high: 0)
        let stored = StoredEnvelope(hop: HopFields(age: 700), storedAt: start, boot: unknown)
        #expect(stored.hop(at: start + .seconds(3600), boot: unknown).age == 700)
    }
}
