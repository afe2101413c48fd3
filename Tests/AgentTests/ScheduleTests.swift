import Agent
import Envelope
import Testing

@Suite("Schedule")
struct ScheduleTests {
    private func at(_ milliseconds: Int64) -> WallTime { WallTime(milliseconds: milliseconds) }

    @Test("An interval fires at whole multiples, whatever time a run took")
    func intervalDoesNotDrift() {
        let schedule = Schedule.interval(.seconds(10))
        #expect(schedule.nextFire(after: at(0)) == at(10_000))
        #expect(schedule.nextFire(after: at(9_999)) == at(10_000))
        #expect(schedule.nextFire(after: at(10_000)) == at(20_000))
        #expect(schedule.nextFire(after: at(57_003)) == at(60_000))
    }

    @Test("An anchor shifts the multiples, also for times before it")
    func anchorShifts() {
        let schedule = Schedule.interval(.seconds(10), anchor: at(3_000))
        #expect(schedule.nextFire(after: at(0)) == at(3_000))
        #expect(schedule.nextFire(after: at(-7_001)) == at(-7_000))
        #expect(schedule.nextFire(after: at(-7_000)) == at(3_000))
        #expect(schedule.nextFire(after: at(3_000)) == at(13_000))
    }

    @Test("The ends of the clock do not trap")
    func endsOfTheClock() {
        #expect(Schedule.interval(.seconds(10)).nextFire(after: at(.max)) == nil)
        #expect(Schedule.interval(.seconds(10)).nextFire(after: at(.min + 1)) != nil)
        #expect(Schedule.interval(.seconds(10), anchor: at(.max)).nextFire(after: at(-1000)) == nil)
        #expect(Schedule.interval(.zero).nextFire(after: at(5)) == at(6))
    }

    @Test("On change means the next poll")
    func onChangePolls() {
        #expect(Schedule.onChange.nextFire(after: at(1_234)) == at(2_234))
        #expect(Schedule.onChange(poll: .milliseconds(50)).nextFire(after: at(7)) == at(57))
    }
}
