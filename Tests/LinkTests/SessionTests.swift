import Envelope
import TestSupport
import Testing

@testable import Link

struct SessionTests {
    @Test(arguments: [1, 2, 3, 7, 8, 9, 31, 1000, Int.max])
    func theSplitOfBytesDoesNotMatter(pieces: Int) {
        let pair = Pair(greeted: false)
        pair.exchange(pieces: pieces)
        #expect(pair.a.isEstablished && pair.b.isEstablished)
        #expect(pair.a.hello?.node == "zone/b" && pair.a.hello?.software == "test 1")
        for token in UInt32(0)..<20 { pair.a.send(token, token % 2 == 0 ? .live : .control, bytes: 104 + Int(token)) }
        pair.b.session.sendMesh([1, 2, 3])
        pair.exchange(pieces: pieces)
        #expect(pair.b.heard.envelopes.map(\.transmission) == Array(1...20))
        #expect(pair.b.heard.envelopes.allSatisfy { $0.bytes.count == 104 + Int($0.bytes[0]) })
        #expect(pair.a.heard.mesh == [[1, 2, 3]])
        var safe = RangeSet()
        safe.insert(1...12)
        safe.insert(14...20)
        pair.b.session.confirm(safe, bytesGranted: 20 << 20, envelopesGranted: 70_000)
        pair.b.session.refuse(13, .destinationBusy, delay: .milliseconds(1500))
        pair.exchange(pieces: pieces)
        #expect(pair.a.heard.confirmed == Array(0..<12) + Array(13..<20))
        #expect(pair.a.heard.refused.count == 1)
        #expect(pair.a.heard.refused.first?.token == 12)
        #expect(pair.a.heard.refused.first?.delay == .milliseconds(1500))
        #expect(pair.a.envelopesInFlight == 0)
        #expect(pair.a.error == nil && pair.b.error == nil)
    }

    @Test func randomSplits() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20 {
            let pair = Pair(greeted: false)
            var sent: UInt32 = 0
            for _ in 0..<300 {
                if pair.a.session.isEstablished, pair.a.session.hasRoom, pair.a.session.mayBegin(.bulk) {
                    pair.a.send(sent, .bulk, bytes: .random(in: 104...5000, using: &random))
                    sent += 1
                }
                pair.b.receive(pair.a.take(.random(in: 1...9000, using: &random)))
                pair.a.receive(pair.b.take(.random(in: 1...100, using: &random)))
            }
            pair.exchange()
            #expect(pair.b.heard.envelopes.count == Int(sent) && sent > 0)
            #expect(pair.b.error == nil)
        }
    }

    // MARK: Hello

    @Test func refusesStrangersAndStrangeVersions() {
        let wrong = End("zone/b", peer: "zone/a")
        let claims = End("zone/c", peer: "zone/b")
        wrong.receive(claims.take())
        #expect(wrong.error == .wrongName(claimed: "zone/c", certified: "zone/a"))

        var newer = Hello(
            node: "zone/a", kind: .relay, software: "", session: Bytes16(low: 1, high: 1),
            resumes: Bytes16(low: 0, high: 0), safe: RangeSet(), wall: WallTime(milliseconds: 0), versions: 2...9)
        #expect(greet(newer) == .noCommonVersion(peerLowest: 2, peerHighest: 9))
        newer.lowestVersion = 1
        #expect(greet(newer) == nil)
    }

    private func greet(_ hello: Hello) -> SessionError? {
        let end = End("zone/b", peer: "zone/a")
        var queue = ByteQueue()
        hello.write(to: &queue)
        end.receive(Array(queue.readable))
        return end.error
    }

    @Test func carriesAFullSetOfRanges() throws {
        var safe = RangeSet()
        for number in 0..<4000 { safe.insert(UInt64(number) * 3 + 1) }
        let a = End("zone/a", peer: "zone/b", resumes: Bytes16(low: 9, high: 9), safe: safe)
        let b = End("zone/b", peer: "zone/a")
        b.receive(a.take())
        let hello = try #require(b.hello)
        #expect(hello.safe.ranges == Array(safe.ranges.suffix(3072)))
        #expect(hello.resumes == Bytes16(low: 9, high: 9))
        #expect(b.error == nil)
    }

    @Test func garbageAndLongFramesEndBeforeTheHello() {
        let garbage = End("zone/b", peer: "zone/a")
        garbage.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(garbage.error != nil)
        let long = End("zone/b", peer: "zone/a")
        long.receive(Array(Raw.frame(1, [], length: Limits.helloBytes + 1).prefix(8)))
        #expect(long.error == .frameTooLong(Limits.helloBytes + 1, limit: Limits.helloBytes))
        let other = End("zone/b", peer: "zone/a")
        other.receive(Raw.frame(1, [1, 2, 3, 4, 1, 0, 1, 0]))
        #expect(other.error == .notThisProtocol)
        let early = End("zone/b", peer: "zone/a")
        early.receive(Raw.data(1, total: 104, bytes: 104, isLast: true))
        #expect(early.error == .unexpected("a frame before its hello"))
        #expect(early.heard.envelopes.isEmpty)
    }

    @Test func aLengthBeyondTheLimitIsRefusedAtItsHeader() {
        let pair = Pair()
        pair.b.receive(Array(Raw.frame(2, [], length: 0xFFFF_FFFF).prefix(8)))
        #expect(pair.b.error == .frameTooLong(0xFFFF_FFFF, limit: Limits.frameBytes))
    }

    @Test func aSecondHelloEndsTheSession() {
        let pair = Pair()
        pair.b.receive(End("zone/a", peer: "zone/b").take())
        #expect(pair.b.error == .unexpected("a second hello"))
    }

    // MARK: Custody

    @Test func custodyOfWhatWasNotSentEndsTheSession() {
        for ranges in [[(1, 4)], [(0, 1)], [(3, 2)], [(1, UInt64.max)], [(4, 4)], [(1, 2), (2, 3)]]
            as [[(UInt64, UInt64)]]
        {
            let pair = Pair()
            for token in UInt32(0)..<3 { pair.a.send(token) }
            pair.a.receive(Raw.custody(ranges))
            #expect(pair.a.error != nil, "\(ranges)")
        }
    }

    @Test func custodyAndRefusalOfAnEnvelopeHalfSentEndTheSession() {
        let custody = Pair()
        custody.a.send(1, .bulk, bytes: 1 << 20)
        custody.a.receive(Raw.custody([(1, 1)]))
        #expect(custody.a.error == .malformed("custody of an envelope half sent"))
        let refusal = Pair()
        refusal.a.send(1, .bulk, bytes: 1 << 20)
        refusal.a.receive(Raw.frame(4, Raw.little(UInt64(1)) + Raw.little(UInt32(1)) + [1]))
        #expect(refusal.a.error != nil)
        #expect(refusal.a.abandon().map(\.token) == [1])
    }

    @Test func aTransmissionIsSettledOnce() {
        let pair = Pair()
        pair.a.send(1)
        pair.a.receive(Raw.custody([(1, 1)]))
        #expect(pair.a.error == nil)
        pair.a.receive(Raw.custody([(1, 1)]))
        #expect(pair.a.error == .malformed("custody of a transmission twice"))
        #expect(pair.a.heard.confirmed == [1])
    }

    @Test func whatIsOpenComesBackInOrder() {
        let pair = Pair()
        for token in UInt32(10)..<20 { pair.a.send(token) }
        pair.a.receive(Raw.custody([(2, 3), (7, 7)]))
        let abandoned = pair.a.session.abandon()
        #expect(abandoned.map(\.transmission) == [1, 4, 5, 6, 8, 9, 10])
        #expect(abandoned.map(\.token) == [10, 13, 14, 15, 17, 18, 19])
    }

    // MARK: Credit

    @Test func creditRunsDryAndComesBack() {
        let pair = Pair()
        var sent: UInt32 = 0
        while pair.a.session.mayBegin(.live) {
            pair.a.send(sent, bytes: 200_000)
            sent += 1
            pair.exchange()
        }
        #expect(Int(sent) == (Limits.linkWindowBytes + 199_999) / 200_000)
        #expect(pair.a.mayBegin(.control))
        pair.a.send(sent, .control, bytes: 104)
        pair.exchange()
        #expect(pair.b.heard.envelopes.count == Int(sent) + 1)
        var safe = RangeSet()
        safe.insert(1...5)
        pair.b.session.confirm(safe, bytesGranted: UInt64(Limits.linkWindowBytes) + 1_000_000, envelopesGranted: 65_541)
        pair.exchange()
        #expect(pair.a.mayBegin(.live))
        #expect(pair.a.error == nil && pair.b.error == nil)
    }

    @Test func sendingBeyondCreditEndsTheSession() {
        let pair = Pair()
        var number: UInt64 = 1
        while pair.b.error == nil, number < 200 {
            pair.b.receive(Raw.data(number, total: 200_000, bytes: 200_000, isLast: true))
            number += 1
        }
        #expect(pair.b.error == .overCredit)
        #expect(pair.b.heard.envelopes.count == (Limits.linkWindowBytes + 199_999) / 200_000)
    }

    // MARK: Time

    /// Lets the end's time pass, deadline by deadline.
    /// - Returns: when it pinged, in seconds since the pair's beginning.
    private func pings(of end: End, until limit: Instant, _ hears: () -> Void = {}) -> [Int64] {
        var times: [Int64] = []
        while end.error == nil, end.nextDeadline <= limit {
            end.now = end.nextDeadline
            do throws(SessionError) { try end.timeReached(end.now) } catch { end.error = error }
            if end.hasOutput { times.append((end.now.nanoseconds - 1_000) / 1_000_000_000) }
            hears()
            _ = end.take()
        }
        return times
    }

    @Test func silenceEndsTheSession() {
        let pair = Pair()
        #expect(pings(of: pair.a, until: pair.a.now + .seconds(20)) == Array(1...7))
        #expect(pair.a.error == .silent)
        #expect(pair.a.now == Instant(nanoseconds: 1_000) + .seconds(8))
    }

    @Test func oneOfTwoIdleEndsAsksAndTheOtherAnswers() {
        let pair = Pair()
        let limit = pair.a.now + .seconds(29)
        var asked: [[Int64]] = [[], []]
        for _ in 0..<200 {
            let next = min(pair.a.nextDeadline, pair.b.nextDeadline)
            if next > limit { break }
            (pair.a.now, pair.b.now) = (next, next)
            for (place, end) in [pair.a, pair.b].enumerated() {
                try? end.timeReached(next)
                if end.hasOutput { asked[place].append((next.nanoseconds - 1_000) / 1_000_000_000) }
            }
            pair.exchange()
        }
        // Both measure after a second; then the one whose name is the greater asks, every three.
        #expect(asked == [[1], [1, 4, 7, 10, 13, 16, 19, 22, 25, 28]])
        #expect(pair.a.roundTrip != nil && pair.b.roundTrip != nil)
    }

    @Test func whoIsHeardIsNotAskedButToMeasure() {
        let pair = Pair()
        let times = pings(of: pair.a, until: pair.a.now + .seconds(60)) {
            pair.a.receive(Raw.frame(5, [UInt8](repeating: 0, count: 8)))
        }
        #expect(times == [1, 31])
    }

    @Test func aStoppedProcessDoesNotBlameItsPeer() throws {
        let pair = Pair()
        pair.a.now = pair.a.now + .seconds(100)
        try pair.a.session.timeReached(pair.a.now)
        #expect(pair.a.hasOutput)
        pair.a.now = pair.a.now + .milliseconds(3)
        pair.exchange()
        #expect(pair.a.roundTrip == .milliseconds(3))
    }

    @Test func aMissingHelloIsWaitedForFiveSeconds() throws {
        let end = End("zone/a", peer: "zone/b")
        try end.session.timeReached(end.now + .milliseconds(4999))
        #expect(end.nextDeadline == end.now + Limits.helloWait)
        #expect(throws: SessionError.helloTooLate) { try end.timeReached(end.now + .seconds(5)) }
    }

    @Test func farewellTellsItsReason() {
        let pair = Pair()
        pair.a.session.leave(.stopping, "maintenance")
        pair.exchange()
        #expect(pair.b.error == .left(.stopping, "maintenance"))
        #expect(!pair.a.isEstablished)
    }

    @Test func whoNeverReadsIsGivenUp() {
        let pair = Pair()
        let pings = (0..<20_000).flatMap { _ in Raw.frame(5, [UInt8](repeating: 1, count: 8)) }
        for _ in 0..<60 { pair.b.receive(pings) }
        #expect(pair.b.error == nil)
        #expect(pair.b.outputBytes <= Limits.unreadBytes / 2 + 16)
        for _ in 0..<300 { pair.b.session.sendMesh([UInt8](repeating: 0, count: 64 << 10)) }
        #expect(pair.b.outputBytes < Limits.unreadBytes + (128 << 10))
        pair.b.receive(pings)
        #expect(pair.b.error == .notReading)
    }

    // MARK: Damage

    @Test func truncatedAndFlippedFramesNeverTrap() {
        var queue = ByteQueue()
        var safe = RangeSet()
        safe.insert(3...9)
        safe.insert(12...12)
        Hello(
            node: "zone/a", kind: .relay, software: "x", session: Bytes16(low: 1, high: 1),
            resumes: Bytes16(low: 1, high: 0), safe: safe, wall: WallTime(milliseconds: 0)
        ).write(to: &queue)
        let hello = Array(queue.readable)
        for bit in 0..<hello.count * 8 {
            var bytes = hello
            bytes[bit / 8] ^= 1 << (bit % 8)
            End("zone/b", peer: "zone/a").receive(bytes)
        }
        for length in 0..<hello.count - 8 {
            let end = End("zone/b", peer: "zone/a")
            end.receive(Raw.frame(1, Array(hello[8..<8 + length])))
            #expect(end.error != nil, "a hello of \(length) bytes")
        }
        let frames: [[UInt8]] = [
            Raw.data(1, total: 120, bytes: 120, isLast: true), Raw.custody([(1, 2), (4, 5)]),
            Raw.frame(4, Raw.little(UInt64(2)) + Raw.little(UInt32(5)) + [3]),
            Raw.frame(5, [UInt8](repeating: 1, count: 8)), Raw.frame(6, Raw.little(Int64(1_000))),
            Raw.frame(7, [1, 2, 3]), Raw.frame(8, [1, 3, 65, 66, 67]),
        ]
        for frame in frames {
            for bit in 0..<frame.count * 8 {
                var bytes = frame
                bytes[bit / 8] ^= 1 << (bit % 8)
                feed(bytes)
            }
            for length in 0..<frame.count - 8 {
                feed(Raw.frame(frame[4], flags: frame[5], Array(frame[8..<8 + length])))
            }
        }
    }

    /// Into a session that has sent something; whatever it does, every token comes back once.
    private func feed(_ bytes: [UInt8]) {
        let pair = Pair()
        for token in UInt32(1)...5 { pair.a.send(token) }
        pair.a.receive(bytes)
        let back = pair.a.session.abandon().map(\.token) + pair.a.heard.confirmed + pair.a.heard.refused.map(\.token)
        #expect(back.sorted() == [1, 2, 3, 4, 5])
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<2000 {
            let pair = Pair()
            for token in UInt32(1)...5 { pair.a.send(token) }
            for _ in 0..<5 where pair.a.error == nil {
                let payload = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                    UInt8.random(in: 0...6, using: &random)
                }
                pair.a.receive(
                    Raw.frame(.random(in: 0...9, using: &random), flags: .random(in: 0...7, using: &random), payload))
            }
        }
    }
}
