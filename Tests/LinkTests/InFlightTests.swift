import Envelope
import TestSupport
import Testing

@testable import Link

struct InFlightTests {
    @Test func behavesAsADictionary() {
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(seed: seed)
            var flight = InFlight()
            var model: [UInt64: UInt32] = [:]
            for token in UInt32(0)..<2000 {
                let number = flight.append(token, length: 1)
                #expect(number == UInt64(token) + 1)
                model[number] = token
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    let number = UInt64.random(in: 0...UInt64(token) + 3, using: &random)
                    #expect(flight.close(number)?.token == model.removeValue(forKey: number))
                }
                #expect(flight.count == model.count)
            }
            var open: [UInt64] = []
            flight.forEachOpen { number, entry in
                open.append(number)
                #expect(model[number] == entry.token)
            }
            #expect(open == model.keys.sorted())
        }
    }

    @Test func oneThatStaysOpenDoesNotHoldTheOthersPlaces() {
        var flight = InFlight()
        let stuck = flight.append(7, length: 1)
        for token in UInt32(0)..<UInt32(3 * Limits.openRing) {
            let number = flight.append(token, length: 1)
            if token % 100_000 != 5 { #expect(flight.close(number) != nil) }
        }
        #expect(flight.places <= 2 * Limits.openRing)
        #expect(flight.count == 5)
        #expect(flight.close(stuck)?.token == 7)
        #expect(flight.close(stuck) == nil)
        #expect(flight.close(7)?.token == 5)
        #expect(flight.count == 3)
        var open: [UInt64] = []
        flight.forEachOpen { number, _ in open.append(number) }
        #expect(open == open.sorted() && open.count == 3)
    }
}
