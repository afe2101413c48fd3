import Synchronization
import Testing

@testable import Platform

struct ChuteTests {
    @Test func aBurstWakesOnce() {
        let chute = Chute<Int>()
        let wakes = Mutex(0)
        chute.open { wakes.withLock { $0 += 1 } }
        for round in 1...3 {
            for item in 0..<5 { #expect(chute.put(item)) }
            #expect(wakes.withLock { $0 } == round)
            var taken: [Int] = []
            chute.drain { taken.append($0) }
            #expect(taken == [0, 1, 2, 3, 4])
        }
        chute.drain { _ in Issue.record("nothing is left") }
    }

    @Test func whatIsPutWhileOthersAreTakenWakesAgain() {
        let chute = Chute<Int>()
        let wakes = Mutex(0)
        chute.open { wakes.withLock { $0 += 1 } }
        chute.put(1)
        var taken: [Int] = []
        chute.drain {
            taken.append($0)
            if $0 < 3 { chute.put($0 + 1) }
        }
        #expect(taken == [1])
        #expect(wakes.withLock { $0 } == 2)
        // From within a taking, too.
        chute.drain { _ in chute.drain { taken.append($0) } }
        chute.drain { taken.append($0) }
        #expect(taken == [1])
    }

    @Test func aClosedOneTakesNothingAndGivesWhatIsThere() {
        let chute = Chute<Int>()
        chute.open { Issue.record("wakes nobody") }
        chute.close()
        #expect(!chute.put(1))
        let other = Chute<Int>()
        other.put(1)
        other.close()
        #expect(!other.put(2))
        var taken: [Int] = []
        other.drain { taken.append($0) }
        #expect(taken == [1])
    }

    @Test func twoThreadsKeepTheOrder() throws {
        let chute = Chute<Int>()
        let bell = Bell()
        chute.open { bell.ring() }
        let giver = try Threads.start(name: "giver") { for item in 0..<100_000 { chute.put(item) } }
        var next = 0
        while next < 100_000 {
            bell.wait(within: .seconds(30))
            let before = next
            chute.drain {
                #expect($0 == next)
                next += 1
            }
            try #require(next > before)
        }
        giver.join()
    }
}

struct ParcelTests {
    @Test func littleIsPutIntoSmallOnes() {
        var pool = ParcelPool()
        #expect(pool.take(for: 1).capacity == Parcel.smallBytes)
        #expect(pool.take(for: Parcel.smallBytes).capacity == Parcel.smallBytes)
        #expect(pool.take(for: Parcel.smallBytes + 1).capacity == Parcel.largeBytes)
        #expect(pool.take(for: 1 << 30).capacity == Parcel.largeBytes)
    }

    @Test func aParcelThatComesBackIsUsedAgainAndEmpty() {
        var pool = ParcelPool()
        for size in [Parcel.smallBytes, Parcel.largeBytes] {
            let parcel = pool.take(for: size)
            [UInt8](arrayLiteral: 1, 2, 3).withUnsafeBytes { parcel.append($0) }
            pool.put(parcel)
            let again = pool.take(for: size)
            #expect(again === parcel)
            #expect(again.count == 0)
        }
    }

    @Test func theirNumberIsBounded() {
        var pool = ParcelPool()
        weak var last: Parcel?
        for size in [Parcel.smallBytes, Parcel.largeBytes] {
            var parcels = (0..<100).map { _ in pool.take(for: size) }
            last = parcels.last
            for parcel in parcels { pool.put(parcel) }
            parcels = []
            #expect(last == nil)
        }
    }
}
