import Testing

@testable import Envelope

@Suite struct IdentifiersTests {
    @Test func hexadecimalIsReadAsWritten() {
        let id = Bytes16(low: 0x0123_4567_89AB_CDEF, high: 0xFEDC_BA98_7654_3210)
        #expect(Bytes16(hexadecimal: id.hexadecimal) == id)
        #expect(Bytes16(hexadecimal: id.hexadecimal.uppercased()) == id)
        #expect(id.hexadecimal.hasPrefix("efcdab89"), "the first byte stands first")
        for wrong in ["", "0g", "abc", String(id.hexadecimal.dropLast(2)), id.hexadecimal + "00"] {
            #expect(Bytes16(hexadecimal: wrong) == nil)
        }
    }

    /// By their bytes, as a disk or a peer would sort them.
    @Test func identifiersAreOrderedByTheirBytes() {
        let first = Bytes16(low: 1 << 8, high: 0)
        let second = Bytes16(low: 1, high: 0)
        let third = Bytes16(low: 1, high: 1)
        #expect(first < second && second < third && !(third < first))
        #expect(StreamID(first) < StreamID(second) && NodeID(second) < NodeID(third) && KeyID(first) < KeyID(third))
        for text in ["\(StreamID(first))", "\(NodeID(first))", "\(KeyID(first))"] { #expect(text == first.hexadecimal) }
    }

    @Test func theLastNumberHasNoNext() {
        #expect(Sequence(7).next == Sequence(8))
        #expect(Sequence(.max).next == Sequence(.max), "it does not begin anew")
        #expect(Sequence(1) < Sequence(2) && "\(Sequence(12))" == "12")
    }

    @Test func anEnvelopeIsNamedBySourceStreamAndNumber() {
        let header = Header(
            kind: .data, lane: .bulk, source: NodeID(Bytes16(low: 1, high: 0)),
            destination: NodeID(Bytes16(low: 2, high: 0)), stream: StreamID(Bytes16(low: 3, high: 0)),
            sequence: Sequence(4), floor: Sequence(1), created: WallTime(milliseconds: 0), lifetime: 1,
            key: KeyID(Bytes16(low: 5, high: 0)), bodyLength: 0)
        #expect(header.identity == Identity(source: header.source, stream: header.stream, sequence: header.sequence))
        #expect("\(header.identity)" == "\(header.source)/\(header.stream)/4")
    }

    @Test func wordsAreReadAsWritten() {
        for lane in Lane.allCases { #expect(Lane(lane.description) == lane) }
        #expect(Lane("Live") == nil && Lane.control < .live && Lane.live < .bulk)
        #expect([Quality.good, .uncertain, .bad, Quality(rawValue: 9)].map(\.description).last == "quality-9")
        #expect(Set([Quality.good, .uncertain, .bad].map(\.description)).count == 3)
        #expect(
            [NodeKind.relay, .agent, .manager, .monitor].map(\.description) == ["relay", "agent", "manager", "monitor"])
    }

    @Test func sixteenBytesAreReadInTheirOrder() {
        let bytes = (1...16).map { UInt8($0) }
        #expect(Bytes16(bytes).bytes == bytes && Bytes16(bytes[...]) == Bytes16(bytes))
        #expect(Bytes16(bytes).low & 0xFF == 1 && Bytes16(bytes).high >> 56 == 16)
    }

    @Test func aNodesNameHasOneSlash() throws {
        let name = try NodeName("plant-a/relay-1")
        #expect(name.zone.description == "plant-a" && name.local == "relay-1" && "\(name)" == "plant-a/relay-1")
        #expect(try NodeName("x plant-a/relay-1".dropFirst(2)) == name)
        for text in ["", "plant-a", "a//b", "a/b/c", "/a/b"] {
            #expect(throws: NameError.notZoneAndName(text)) { try NodeName(text) }
        }
        for text in ["/b", "a/"] { #expect(throws: NameError.empty) { try NodeName(text) } }
        for (text, part) in [
            ("a/B", "B"), ("-a/b", "-a"), ("a-/b", "a-"), ("a/1", "1"), ("a/ü", "ü"), ("a/b\0", "b\0"),
        ] {
            #expect(throws: NameError.illegalCharacter(part)) { try NodeName(text) }
        }
    }

    @Test func aNameIsMadeOfItsParts() throws {
        let zone = try ZoneName("plant-a")
        #expect(try NodeName(zone: zone, local: "relay-1") == NodeName("plant-a/relay-1"))
        #expect(throws: NameError.self) { try NodeName(zone: zone, local: "a/b") }
        let long = String(repeating: "a", count: Limits.nameLength + 1)
        let error = #expect(throws: NameError.self) { try ZoneName(long) }
        #expect(
            error?.description.contains("\(Limits.nameLength)") == true,
            "the limit is told: \(String(describing: error))")
    }
}
