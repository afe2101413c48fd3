import Envelope
import Testing

@testable import Platform

struct AdmissionTests {
    private static let here: [UInt8] = [10, 0, 0, 1]

    @Test func countsAllAndEachSource() {
        var admission = Admission(AdmissionLimits(handshakes: 3, handshakesPerSource: 2), at: .zero)
        #expect(admission.begin(source: Self.here, at: .zero) == nil)
        #expect(admission.begin(source: Self.here, at: .zero) == nil)
        #expect(admission.begin(source: Self.here, at: .zero) == .tooManyFromSource)
        #expect(admission.begin(source: [10, 0, 0, 2], at: .zero) == nil)
        #expect(admission.begin(source: [10, 0, 0, 3], at: .zero) == .tooManyHandshakes)
        admission.ended(source: Self.here)
        #expect(admission.begin(source: Self.here, at: .zero) == nil)
        for source in [Self.here, Self.here, [10, 0, 0, 2]] { admission.ended(source: source) }
        #expect(admission.underWay == 0)
    }

    @Test func limitsTheRate() {
        var admission = Admission(AdmissionLimits(connectionsPerSecond: 10, burst: 2), at: .zero)
        func knock(_ milliseconds: Int64) -> RefusalReason? {
            let reason = admission.begin(source: Self.here, at: Instant(nanoseconds: milliseconds * 1_000_000))
            if reason == nil { admission.ended(source: Self.here) }
            return reason
        }
        #expect(
            [0, 0, 0, 99, 101, 102, 5000, 5000, 5000].map(knock) == [
                nil, nil, .tooFast, .tooFast, nil, .tooFast, nil, nil, .tooFast,
            ])
    }

    @Test func aRefusedKnockCostsNothing() {
        var admission = Admission(AdmissionLimits(handshakes: 1, connectionsPerSecond: 0, burst: 2), at: .zero)
        #expect(admission.begin(source: Self.here, at: .zero) == nil)
        for _ in 0..<10 { #expect(admission.begin(source: Self.here, at: .zero) == .tooManyHandshakes) }
        admission.ended(source: Self.here)
        #expect(admission.begin(source: Self.here, at: .zero) == nil)
    }
}
