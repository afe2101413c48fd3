import Envelope
import TestSupport
import Testing

@testable import Mesh

@Suite struct AdvertisementCodecTests {
    @Test func everyFieldComesBack() throws {
        let advertisement = Advertisement.sample()
        #expect(try Advertisement(decoding: advertisement.encoded()) == advertisement)
    }

    @Test func theLeastComesBack() throws {
        let advertisement = Advertisement(
            origin: node("a/b"), stamp: .init(boot: 0, sequence: .max), madeAt: WallTime(milliseconds: -1))
        #expect(try Advertisement(decoding: advertisement.encoded()) == advertisement)
    }

    @Test func theBytesAreThoseOfTheProtocol() {
        let advertisement = Advertisement(
            origin: node("a/r"), stamp: .init(boot: 2, sequence: 0x0102), madeAt: WallTime(milliseconds: 256),
            softwareVersion: "v1", listenPorts: [0x1D13],
            holdings: .init(parkedEnvelopes: 1, parkedBytes: 128, storedEnvelopes: 0, storedBytes: 300),
            links: [.init(peer: node("b/r"), cost: 10, dialledByOrigin: true, isUp: true)],
            attached: [.init(node: node("a/m"), kind: .manager, dialledByOrigin: false, isUp: true)],
            services: [.init(name: .manager, provider: node("a/m"))])
        #expect(
            Hexadecimal.encode(advertisement.encoded())
                == "01" + "03612f72" + "0200000000000000" + "0201000000000000" + "0001000000000000" + "027631"
                + "01131d" + "01" + "8001" + "00" + "ac02"
                + "0100" + "03622f72" + "03" + "0a00" + "00000000"
                + "0100" + "03612f6d" + "03" + "02" + "00000000"
                + "01" + "076d616e61676572" + "03612f6d")
    }

    @Test func truncationAnywhereThrows() {
        let bytes = Advertisement.sample().encoded()
        for count in 0..<bytes.count {
            #expect(throws: LinkStateError.self) { try Advertisement(decoding: Array(bytes.prefix(count))) }
        }
    }

    @Test func whatFollowsTheEndThrows() {
        #expect(throws: LinkStateError.trailingBytes(1)) {
            try Advertisement(decoding: Advertisement.sample().encoded() + [0])
        }
    }

    /// A flipped bit gives an error or another advertisement with these very bytes: equal values are equal bytes.
    @Test func flippedBitsThrowOrMeanSomethingElse() {
        let bytes = Advertisement.sample().encoded()
        for position in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[position] ^= 1 << UInt8(bit)
                guard let read = try? Advertisement(decoding: flipped) else { continue }
                #expect(read != Advertisement.sample())
                #expect(read.encoded() == flipped)
            }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SeededGenerator(seed: 3)
        let model = Advertisement.sample().encoded()
        for _ in 0..<2_000 {
            var bytes = model
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
            }
            if let read = try? Advertisement(decoding: bytes) { #expect(read.encoded() == bytes) }
        }
    }

    @Test func illegalContentThrows() {
        var own = Advertisement.sample()
        own.links[0].peer = own.origin
        #expect(throws: LinkStateError.outOfOrder("links")) { try Advertisement(decoding: own.encoded()) }
        var twice = Advertisement.sample()
        twice.attached[1].node = twice.attached[0].node
        #expect(throws: LinkStateError.outOfOrder("attached nodes")) { try Advertisement(decoding: twice.encoded()) }
        var services = Advertisement.sample()
        services.services.swapAt(0, 1)
        #expect(throws: LinkStateError.outOfOrder("services")) { try Advertisement(decoding: services.encoded()) }
        var free = Advertisement.sample()
        free.links[0].cost = 0
        #expect(throws: LinkStateError.illegal("cost", 0)) { try Advertisement(decoding: free.encoded()) }
        var relay = Advertisement.sample()
        relay.attached[0].kind = .relay
        #expect(throws: LinkStateError.illegal("kind", 1)) { try Advertisement(decoding: relay.encoded()) }
        var terminal = Advertisement.sample()
        terminal.softwareVersion = "\u{1B}[31m"
        #expect(throws: LinkStateError.badText("software version")) { try Advertisement(decoding: terminal.encoded()) }
        var long = Advertisement.sample()
        long.softwareVersion = String(repeating: "v", count: 65)
        #expect(throws: LinkStateError.tooMuch("software version", 65, limit: 64)) {
            try Advertisement(decoding: long.encoded())
        }
        var version = Advertisement.sample().encoded()
        version[0] = 2
        #expect(throws: LinkStateError.version(2)) { try Advertisement(decoding: version) }
    }

    @Test func namesOfNoNodeThrow() {
        var bytes = Advertisement.sample().encoded()
        bytes[2] = UInt8(ascii: "D")
        #expect(throws: LinkStateError.badName(.illegalCharacter("Dmz"))) { try Advertisement(decoding: bytes) }
    }

    @Test func countsAreCheckedBeforeAnythingIsAllocated() {
        var advertisement = Advertisement.sample()
        advertisement.links = []
        advertisement.attached = []
        advertisement.services = []
        var bytes = advertisement.encoded()
        let links = bytes.count - 5
        (bytes[links], bytes[links + 1]) = (0xFF, 0xFF)
        #expect(throws: LinkStateError.tooMuch("links", 65535, limit: 4096)) { try Advertisement(decoding: bytes) }
        (bytes[links], bytes[links + 1]) = (0x00, 0x10)
        #expect(throws: LinkStateError.truncated("links")) { try Advertisement(decoding: bytes) }
        let size = Limits.advertisementBytes + 1
        #expect(
            throws: LinkStateError.tooMuch(
                "advertisement bytes", UInt64(size), limit: UInt64(Limits.advertisementBytes))
        ) { try Advertisement(decoding: [UInt8](repeating: 1, count: size)) }
    }

    @Test func varintsHaveOneForm() throws {
        func read(_ bytes: [UInt8]) throws(LinkStateError) -> UInt64 {
            var reader = WireReader(bytes)
            return try reader.varint("number")
        }
        for value in [0, 1, 127, 128, 16_383, 16_384, UInt64(Int64.max), UInt64.max - 1, UInt64.max] {
            var writer = WireWriter()
            writer.append(varint: value)
            #expect(try read(writer.bytes) == value)
        }
        #expect(throws: LinkStateError.notCanonical("number")) { try read([0x80, 0x00]) }
        #expect(throws: LinkStateError.illegal("number", .max)) { try read([UInt8](repeating: 0xFF, count: 9) + [2]) }
        #expect(throws: LinkStateError.illegal("number", .max)) { try read([UInt8](repeating: 0x80, count: 12)) }
    }
}
