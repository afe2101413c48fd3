import Envelope
import Testing

@testable import Link

/// What a checker of all states asks of sessions: copies that go on alike, and values that tell states apart.
struct FingerprintTests {
    private func value(_ body: (inout Fingerprint) -> Void) -> Fingerprint.Value {
        var print = Fingerprint()
        body(&print)
        return print.value
    }

    private func value(_ bytes: [UInt8]) -> Fingerprint.Value { value { p in bytes.withUnsafeBytes { p.add($0) } } }

    @Test func whatDiffersHasAnotherValue() {
        let now = Instant(nanoseconds: 100)
        var one = RangeSet()
        one.insert(1...3)
        var two = RangeSet()
        two.insert(1...2)
        let values = [
            value { $0.add(1 as UInt64) }, value { $0.add(2 as UInt64) }, value { $0.add(-1) },
            value { $0.add(false) }, value { p in p.add(one) }, value { p in p.add(two) }, value([]), value([0]),
            value([0, 0]), value([UInt8](repeating: 0, count: 8)), value([UInt8](repeating: 0, count: 9)),
            value([1, 2, 3, 4, 5, 6, 7, 8, 9]), value([9, 2, 3, 4, 5, 6, 7, 8, 1]),
            value { $0.add(now + .seconds(1), at: now) }, value { $0.add(now + .seconds(2), at: now) },
            value {
                $0.add(1)
                $0.add(2)
            },
            value {
                $0.add(2)
                $0.add(1)
            },
        ]
        #expect(Set(values).count == values.count)
        #expect(value { $0.add(true) } == value { $0.add(1 as UInt64) })
    }

    @Test func timesThatAreOverAreAlikeAndWhatNeverComesIsNot() {
        let now = Instant(nanoseconds: 100)
        let over = value { $0.add(.zero, at: now) }
        #expect(over == value { $0.add(now, at: now) })
        #expect(over != value { $0.add(.never, at: now) })
        // Only what is left counts.
        #expect(
            value { $0.add(now + .seconds(1), at: now) }
                == value { $0.add(Instant(nanoseconds: 1_000_000_000), at: .zero) })
    }

    @Test func ofRandomNamesOnlyTheOrderOfTheirComingCounts() {
        func named(_ names: [UInt64]) -> Fingerprint.Value {
            value { for name in names { $0.addName(Bytes16(low: name, high: 0)) } }
        }
        #expect(named([7, 8, 7]) == named([5, 9, 5]))
        #expect(named([7, 8, 7]) != named([7, 8, 8]))
        // No name at all is one of its own.
        #expect(named([0, 7]) != named([7, 0]) && named([0]) != named([7]))
    }

    // MARK: Frames

    /// A hello, two envelopes, word of the second, a ping.
    private func frames(_ name: UInt64, age: UInt32 = 0, body: UInt8 = 1) -> [UInt8] {
        var queue = ByteQueue()
        Hello(
            node: "zone/a", kind: .relay, software: "x", session: Bytes16(low: name, high: 1),
            resumes: Bytes16(low: 0, high: 0), safe: RangeSet(), wall: WallTime(milliseconds: 0)
        ).write(to: &queue)
        for number in [1, 2] as [UInt64] {
            queue.appendFrame(.data, flags: DataFlags.last) { payload in
                payload.append(number)
                payload.append(UInt32(3))
                payload.append(UInt32(0))
                payload.append(HopFields(hopLimit: 9, age: age).encoded)
                payload.append([body, 2, 3])
            }
        }
        queue.appendFrame(.custody) { payload in for word in [10, 20, 2, 2] as [UInt64] { payload.append(word) } }
        queue.appendFrame(.ping) { payload in payload.append(5 as UInt64) }
        return Array(queue.readable)
    }

    @Test func framesAreSeenAsTheyAre() {
        var seen: [String] = []
        frames(1).withUnsafeBytes { bytes in
            FrameSight.forEach(in: bytes) { sight in
                switch sight {
                case .data(let transmission, let envelope): seen.append("\(transmission) \(Array(envelope))")
                case .custody(let safe): seen.append("safe \(safe.ranges.map { [$0.lowerBound, $0.upperBound] })")
                case .other: seen.append("other")
                }
            }
        }
        #expect(seen == ["other", "1 [1, 2, 3]", "2 [1, 2, 3]", "safe [[2, 2]]", "other"])
    }

    @Test func custodyThatIsCutSaysNothing() {
        var queue = ByteQueue()
        queue.appendFrame(.custody) { payload in payload.append(1 as UInt64) }
        var isOther = false
        FrameSight.forEach(in: queue.readable) { if case .other = $0 { isOther = true } }
        #expect(isOther)
    }

    @Test func framesThatDifferInNamesAndAgesAloneAreAlike() {
        func sum(_ frames: [UInt8]) -> Fingerprint.Value { value { p in frames.withUnsafeBytes { p.addFrames($0) } } }
        #expect(sum(frames(1)) == sum(frames(2, age: 70)))
        #expect(sum(frames(1)) != sum(frames(1, body: 2)))
        #expect(sum(frames(1)) != sum([]))
    }

    // MARK: Sessions

    private func sum(_ end: End) -> Fingerprint.Value {
        value { end.session.fold(into: &$0) { token, print in print.add(Int(token)) } }
    }

    @Test func aCopyGoesOnAsItsOriginalWould() {
        let pair = Pair()
        pair.a.send(0)
        pair.exchange()
        pair.b.heard.envelopes = []
        pair.a.send(1)
        pair.a.send(2)
        let bytes = pair.a.take()
        let twin = End("zone/b", peer: "zone/a")
        twin.session = pair.b.session.copy()
        #expect(sum(twin) == sum(pair.b))
        for end in [twin, pair.b] { end.receive(bytes) }
        #expect(twin.heard.envelopes.map(\.bytes) == pair.b.heard.envelopes.map(\.bytes))
        #expect(twin.heard.envelopes.count == 2 && sum(twin) == sum(pair.b))
        // And apart from it.
        twin.send(9)
        #expect(sum(twin) != sum(pair.b))
        #expect(pair.b.envelopesInFlight == 0 && twin.envelopesInFlight == 1)
    }

    @Test func statesOfASessionDiffer() {
        let fresh = End("zone/a", peer: "zone/b")
        let pair = Pair()
        let established = sum(pair.a)
        pair.a.send(1)
        let underWay = sum(pair.a)
        _ = pair.a.abandon()
        let all = [sum(fresh), established, underWay, sum(pair.a)]
        #expect(Set(all).count == all.count)
    }
}
