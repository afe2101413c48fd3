import Envelope
import Testing

@testable import Mesh

/// What a person is told names the node and says what to do.
struct AlarmTests {
    @Test func everyAlarmTellsItsFacts() throws {
        let (one, two) = (try NodeName("a/relay"), try NodeName("b/relay"))
        let stamp = Advertisement.Stamp(boot: 41, sequence: 42)
        let told: [(RouterAlarm, [String])] = [
            (.equivocation(origin: one, stamp: stamp, from: two), ["a/relay", "b/relay", "\(stamp)"]),
            (.badSignature(origin: one, from: two), ["a/relay", "b/relay passed on"]),
            (.ownHigherAdvertisement(heard: stamp, boot: 43, from: two), ["\(stamp)", "boot 43", "b/relay"]),
            (.tooManyRelays(refused: one), ["a/relay", "\(Limits.meshRelays)"]),
            (.tooManyLinks(refused: one), ["a/relay", "\(Limits.advertisedLinks)"]),
            (.advertisementFull(leftOut: 17), ["17 attached nodes"]),
        ]
        for (alarm, facts) in told {
            for fact in facts { #expect(alarm.description.contains(fact), "\(alarm)") }
        }
    }

    @Test func everyFlowErrorNamesTheFlow() throws {
        let errors: [FlowError] = [
            .name("rows"), .repeated("rows"), .noSource("rows"), .noDestination("rows"),
            .serviceAsSource("rows", try ServiceName("manager")), .tooManyPatterns("rows", 99), .noBytes("rows"),
        ]
        for error in errors { #expect(error.description.contains("'rows'"), "\(error)") }
        #expect(FlowError.pattern("a//b").description.contains("'a//b'"))
        #expect(FlowError.tooManyFlows(12_345).description.contains("12345"))
    }
}
