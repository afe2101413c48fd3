import Envelope
import Testing

extension Header {
    /// A header whose every field has bytes of its own.
    static let sample = Header(
        kind: .data, lane: .bulk, flags: Flags(rawValue: 0x81), source: NodeID(Bytes16(1...16)),
        destination: NodeID(Bytes16(21...36)), stream: StreamID(Bytes16(41...56)), sequence: Sequence(0x1122_3344_5566),
        floor: Sequence(0x0102_0304_0506), created: WallTime(milliseconds: -2), lifetime: 86_400,
        key: KeyID(Bytes16(61...76)), bodyLength: 0x00AB_CDEF)

    func with(_ change: (inout Header) -> Void) -> Header {
        var copy = self
        change(&copy)
        return copy
    }
}

@Suite struct HeaderTests {
    @Test func roundTrip() throws {
        for kind in Header.Kind.allCases {
            for lane in Lane.allCases {
                let header = Header.sample.with {
                    $0.kind = kind
                    $0.lane = lane
                }
                #expect(header.encoded.count == Header.size)
                #expect(try Header(header.encoded) == header)
                #expect(try Header(header.encoded + [1, 2, 3]) == header)
                #expect(try Header(header.encoded.span.bytes) == header)
            }
        }
    }

    @Test func extremesRoundTrip() throws {
        let header = Header.sample.with {
            $0.sequence = Sequence(.max)
            $0.floor = Sequence(.max)
            $0.created = WallTime(milliseconds: .min)
            $0.lifetime = .max
            $0.bodyLength = UInt32(Limits.bodyBytes)
        }
        #expect(try Header(header.encoded) == header)
        #expect(header.envelopeLength == Limits.bodyBytes + Header.size)
    }

    @Test func appendWritesTheSameBytes() {
        var bytes: [UInt8] = [9]
        Header.sample.append(to: &bytes)
        #expect(bytes == [9] + Header.sample.encoded)
    }

    @Test func fieldsLieWhereTheTableSays() {
        let bytes = Header.sample.encoded
        #expect(bytes[Header.Offset.version] == Header.version)
        #expect(bytes[Header.Offset.kind] == 1)
        #expect(bytes[Header.Offset.lane] == 2)
        #expect(bytes[Header.Offset.flags] == 0x81)
        #expect(Array(bytes[Header.Offset.source..<20]) == Array(1...16))
        #expect(Array(bytes[Header.Offset.destination..<36]) == Array(21...36))
        #expect(Array(bytes[Header.Offset.stream..<52]) == Array(41...56))
        #expect(Array(bytes[Header.Offset.sequence..<60]) == [0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0, 0])
        #expect(Array(bytes[Header.Offset.floor..<68]) == [6, 5, 4, 3, 2, 1, 0, 0])
        #expect(bytes[Header.Offset.created] == 0xFE)
        #expect(Array(bytes[Header.Offset.lifetime..<80]) == [0x80, 0x51, 1, 0])
        #expect(Array(bytes[Header.Offset.key..<96]) == Array(61...76))
        #expect(Array(bytes[Header.Offset.bodyLength..<100]) == [0xEF, 0xCD, 0xAB, 0])
        #expect(Header.Offset.checksum + 4 == Header.size)
    }

    @Test func everyTruncationIsRefused() {
        let bytes = Header.sample.encoded
        for length in 0..<Header.size {
            #expect(throws: EnvelopeError.truncated(needed: Header.size, present: length)) {
                try Header(Array(bytes[..<length]))
            }
        }
    }

    @Test func everyFlippedBitIsRefused() {
        let bytes = Header.sample.encoded
        for bit in 0..<Header.size * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let expected = bit < 8 ? EnvelopeError.unknownVersion(flipped[0]) : .wrongChecksum
            #expect(throws: expected) { try Header(flipped) }
        }
    }

    /// Fields that are wrong although the checksum is right: another program, or an attacker, wrote them.
    @Test func illegalFieldsAreRefused() {
        func refused(_ offset: Int, _ values: [UInt8], _ error: EnvelopeError) {
            var bytes = Header.sample.encoded
            bytes.replaceSubrange(offset..<offset + values.count, with: values)
            let checksum = CRC32C.checksum(of: Array(bytes[..<100]))
            bytes.replaceSubrange(100..<104, with: (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) })
            #expect(throws: error) { try Header(bytes) }
        }
        refused(Header.Offset.kind, [0], .unknownKind(0))
        refused(Header.Offset.kind, [4], .unknownKind(4))
        refused(Header.Offset.lane, [3], .unknownLane(3))
        refused(Header.Offset.lifetime, [0, 0, 0, 0], .zeroLifetime)
        refused(Header.Offset.bodyLength, [1, 0, 0, 1], .bodyTooLong(Limits.bodyBytes + 1))
        refused(Header.Offset.bodyLength, [255, 255, 255, 255], .bodyTooLong(0xFFFF_FFFF))
        refused(Header.Offset.sequence, Array(repeating: 0, count: 8), .zeroSequence)
        refused(Header.Offset.floor, Array(repeating: 255, count: 8), .floorAboveSequence)
    }
}

@Suite struct HopFieldsTests {
    private func decode(_ bytes: [UInt8]) throws(EnvelopeError) -> HopFields { try HopFields(bytes.span.bytes) }

    @Test func roundTrip() throws {
        let fields = HopFields(hopLimit: 7, age: 0xA1B2_C3D4)
        #expect(fields.encoded == [7, 0, 0, 0, 0xD4, 0xC3, 0xB2, 0xA1])
        #expect(try decode(fields.encoded) == fields)
    }

    @Test func badBytesAreRefused() {
        for length in 0..<HopFields.size {
            #expect(throws: EnvelopeError.truncated(needed: 8, present: length)) {
                try decode(Array(repeating: 0, count: length))
            }
        }
        for place in 1...3 {
            var bytes = HopFields().encoded
            bytes[place] = 1
            #expect(throws: EnvelopeError.reservedNotZero) { try decode(bytes) }
        }
    }

    @Test func ageStopsAtItsGreatestValue() {
        #expect(HopFields(age: 10).aged(by: .milliseconds(32)).age == 42)
        #expect(HopFields(age: .max - 1).aged(by: .seconds(1)).age == .max)
        #expect(HopFields(age: 5).aged(by: .seconds(1 << 40)).age == .max)
        #expect(HopFields(age: 5).aged(by: .seconds(-9)).age == 5)
    }

    @Test func hopsEnd() {
        #expect(HopFields(hopLimit: 1, age: 3).nextHop == HopFields(hopLimit: 0, age: 3))
        #expect(HopFields(hopLimit: 0, age: 3).nextHop == nil)
    }

    @Test func expiryIsReachedAtTheLastMillisecond() {
        #expect(!HopFields(age: 1999).isExpired(lifetime: 2))
        #expect(HopFields(age: 2000).isExpired(lifetime: 2))
        #expect(!HopFields(age: .max).isExpired(lifetime: .max))
    }
}
