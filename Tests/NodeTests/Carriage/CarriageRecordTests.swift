import Crypto
import Envelope
import Mesh
import Platform
import Testing

@testable import Node

struct CarriageRecordTests {
    private func bytes(_ records: [CarriageRecord]) -> [UInt8] {
        var queue = ByteQueue()
        for record in records { queue.append(record) }
        return Array(queue.readable)
    }

    /// What a reader makes of bytes, a word a record.
    private func words(_ bytes: [UInt8]) -> [String] {
        bytes.withUnsafeBytes { bytes in
            var reader = CarriageReader(bytes)
            var words: [String] = []
            while true {
                do throws(CarriageReader.Failure) {
                    guard let record = try reader.next() else { return words }
                    switch record {
                    case .name(let name): words.append("\(name)")
                    case .envelope(let hop, let envelope): words.append("\(hop.hopLimit) \(hop.age) \(Array(envelope))")
                    case .end(let envelopes, let bytes): words.append("end \(envelopes) \(bytes)")
                    case .stored(let copies): words.append("\(copies.map(\.stored)) \(copies.map(\.length))")
                    case .unknown(let kind): words.append("unknown \(kind)")
                    }
                } catch {
                    words.append("\(error)")
                    if case .noRecord = error { return words }
                }
            }
        }
    }

    private func sample() throws -> [UInt8] {
        let body: [UInt8] = [1, 2, 3]
        return try body.withUnsafeBytes { body in
            bytes([
                .name(try NodeName("plant-a/agent")), .envelope(HopFields(hopLimit: 3, age: 9), body),
                .stored([.init(stored: 5, length: 6), .init(stored: .max, length: 7)]), .end(envelopes: 1, bytes: 3),
            ])
        }
    }

    private let read = ["plant-a/agent", "3 9 [1, 2, 3]", "[5, 18446744073709551615] [6, 7]", "end 1 3"]

    @Test func recordsAreReadAsWritten() throws {
        #expect(words(try sample()) == read)
        #expect(words([]) == [])
    }

    /// A flipped bit costs its record where it is in the payload, and all that follows where it is in the head.
    @Test func eachFlippedBitIsNoticed() throws {
        let good = try sample()
        for place in good.indices {
            var bad = good
            bad[place] ^= 0x10
            let words = words(bad)
            let lost = zip(words, read).filter { $0 != $1 }.count + max(0, read.count - words.count)
            #expect(lost >= 1, "byte \(place)")
            if words.contains(where: { $0.hasPrefix("the record") }) { #expect(lost == 1, "byte \(place)") }
        }
    }

    @Test func whatEndsEarlyIsNoRecord() throws {
        let good = try sample()
        for count in good.indices.dropFirst() {
            let words = words(Array(good[..<count]))
            #expect(
                words.count <= read.count
                    && (words.last?.hasPrefix("no record") == true || words == Array(read.prefix(words.count))))
        }
    }

    @Test func theLongestEnvelopeFits() {
        let longest = [UInt8](repeating: 7, count: Header.size + Limits.bodyBytes)
        let record = longest.withUnsafeBytes { bytes([.envelope(HopFields(), $0)]) }
        let length = record.withUnsafeBytes { CarriageHead($0)?.length }
        #expect(length == CarriageRecord.longestPayload)
    }

    @Test func copiesComeInTheOrderTheyWereAskedFor() throws {
        var desk = CopyDesk()
        let reply = CopyDesk.Answer()
        let request = desk.begin([7, 5, 6], reply)
        for stored in [5, 6, 7] as [UInt64] {
            let copy = CopiedEnvelope(hop: HopFields(hopLimit: 1, age: 0), bytes: [UInt8(stored)])
            desk.copied(request, stored, stored == 6 ? nil : copy)
        }
        let answer = try #require(reply.wait(within: .zero))
        #expect(answer?.map(\.bytes) == [[7], [5]])
        let second = CopyDesk.Answer()
        _ = desk.begin([1], second)
        desk.dismissAll()
        #expect(second.wait(within: .zero) == .some(nil))
    }

    /// Whom a carrier has to bring again is not counted twice.
    @Test func whatIsBehindTheFirstThatWasNotTakenIsBroughtAgain() throws {
        func report(_ body: (inout CarriageTally) -> Void) -> CarriageReport? {
            let reply = Reply<CarriageReport>()
            var tally = CarriageTally(reply)
            for index in 0..<4 { tally.storing(index, ticket: UInt64(index) + 10) }
            tally.refused(4, "no flow permits it")
            body(&tally)
            #expect(tally.isSettled)
            tally.fill()
            return reply.wait(within: .zero)
        }
        let whole = try #require(
            report { tally in for ticket in 10..<14 as Range<UInt64> { tally.ended(ticket, error: nil) } })
        #expect(whole.taken == 5 && whole.stored == 4 && whole.refused.map(\.index) == [4] && whole.waits == nil)
        let broken = try #require(
            report { tally in
                for ticket in 10..<14 as Range<UInt64> { tally.ended(ticket, error: ticket == 12 ? "full" : nil) }
            })
        #expect(broken.taken == 2 && broken.stored == 2 && broken.refused.isEmpty && broken.waits == "full")
        let dismissed = try #require(
            report { tally in
                tally.ended(10, error: nil)
                tally.ended(13, error: nil)
                tally.dismiss("stopping")
            })
        #expect(dismissed.taken == 1 && dismissed.stored == 1 && dismissed.waits == "stopping")
    }

    @Test func aQuestionNamesDestinations() throws {
        func question(_ query: [String: String]) throws(FlowError) -> CarriageQuestion {
            try CarriageQuestion(AdminRequest(method: "GET", path: "/v1/stored", query: query))
        }
        let name = try NodeName("plant-b/agent")
        let id = NodeID(of: name)
        #expect(try question([:]).wants(id, hasWay: false, name: nil))
        #expect(try !question([:]).wants(id, hasWay: true, name: name))
        #expect(try question(["all": "true"]).wants(id, hasWay: true, name: name))
        for (pattern, known, unknown) in [
            ("plant-b/*", true, false), ("plant-b/agent", true, true), ("*", true, true),
            ("plant-c/*,plant-b/agent", true, true),
            ("plant-c/*", false, false), ("manager", false, false),
        ] {
            let asked = try question(["to": pattern])
            #expect(asked.wants(id, hasWay: true, name: name) == known, "\(pattern)")
            #expect(asked.wants(id, hasWay: true, name: nil) == unknown, "\(pattern)")
        }
        #expect(throws: FlowError.self) { try question(["to": "a/b/c"]) }
    }

    @Test func numbersAreWholeAndNotTooMany() {
        func numbers(_ body: [UInt8]) -> [UInt64]? {
            AdminRequest(method: "POST", path: "/v1/stored/copies", body: body).storedNumbers
        }
        #expect(numbers([]) == [])
        #expect(numbers([2, 1, 0, 0, 0, 0, 0, 0]) == [258])
        #expect(numbers([1]) == nil)
        #expect(numbers([UInt8](repeating: 0, count: 8 * CopyDesk.copiesAtOnce + 8)) == nil)
    }
}
