import Crypto
import Envelope
import Glibc
import Node
import Testing

extension IntegrationTests {
    /// Strangers at a relay's port: each is shown out with a reason in the log, and the others go on.
    @Suite(.serialized) struct HostileTests {
        /// A frame of the link protocol as its page describes it: length, kind, flags, two zero bytes, payload.
        private static func frame(_ kind: UInt8, _ payload: [UInt8], length: UInt32? = nil) -> [UInt8] {
            bytes(length ?? UInt32(payload.count)) + [kind, 0, 0, 0] + payload
        }

        private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }

        private static func hello(_ name: String, versions: ClosedRange<UInt16> = 1...1) -> [UInt8] {
            func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
            let head = Array("GRL1".utf8) + bytes(versions.lowerBound) + bytes(versions.upperBound) + [1]
            let ids = [UInt8](repeating: 9, count: 16) + bytes(Int64(0)) + [UInt8](repeating: 0, count: 16)
            return frame(1, head + short(name) + short("stranger") + ids + bytes(UInt16(0)))
        }

        @Test(.timeLimit(.minutes(2)), arguments: [1, 3])
        func strangersAreShownOutAndTheOthersGoOn(reactors: Int) async throws {
            let place = try TemporaryDirectory()
            let bed = try await makeBed(place, reactors: reactors)
            let relay = "dmz/relay-1"
            let port = try bed.port(of: relay)
            let mesh = place.path("mesh")
            let pid = try #require(bed.process(relay)?.pid)
            let known = try Identity.context(issuedTo: "plant-x/relay-1", by: mesh)
            let unknown = try Identity.context(issuedTo: "plant-y/relay-9", by: mesh)
            let agent = try Identity.context(issuedTo: "dmz/agent-3", by: mesh)
            let foreign = try Identity.foreignContext("plant-x/relay-1", trusting: bed.directory(of: relay))
            var sent = ""
            /// One attack: the connection is closed, the log has the reason, and data still flows.
            func attack(_ name: String, _ context: TLSContext?, _ bytes: [UInt8], reason: String) async throws {
                let stranger = try Stranger(port: port)
                // What the relay refuses in its handshake shows at this end with the first read.
                if let context { try? stranger.handshake(context) }
                stranger.say(bytes)
                #expect(stranger.isClosed(within: .seconds(8)), "\(name) is let stay")
                try await eventually("the log has the reason for \(name)", detail: bed.tail(of: relay)) {
                    let lines = ["link.refused", "link.failed", "link.not-allowed", "link.down"].map {
                        bed.lines($0, of: relay)
                    }
                    return lines.joined().contains { $0.contains(reason) }
                }
                sent += "after \(name)\n"
                try place.write("after \(name)\n", to: "input/lines.txt", appending: true)
                try await bed.awaitFile("output/lines.txt", is: Array(sent.utf8))
            }
            let hello = Self.hello("plant-x/relay-1")
            try await attack("another authority", foreign, hello, reason: "another authority")
            try await attack("garbage instead of TLS", nil, Array("GET / HTTP/1.0\r\n\r\n".utf8), reason: "TLS")
            try await attack(
                "an unknown node", unknown, Self.hello("plant-y/relay-9"), reason: "not in this node's links")
            try await attack(
                "an agent that says it is a relay", agent, Self.hello("dmz/agent-3"), reason: "says it is a relay")
            try await attack("a wrong name", known, Self.hello("dmz/agent-1"), reason: "its certificate names")
            try await attack(
                "another version", known, Self.hello("plant-x/relay-1", versions: 7...9),
                reason: "speaks protocol versions 7 to 9")
            try await attack(
                "a long frame", known, Self.frame(1, [], length: 0xFFFF_FFF0), reason: "announced a frame of 4294967280"
            )
            try await attack(
                "a long frame later", known, hello + Self.frame(2, [], length: 300 << 10),
                reason: "announced a frame of 307200")
            try await attack(
                "garbage", known, (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 99) }, reason: "unknown kind")
            try await attack("no hello first", known, Self.frame(5, Self.bytes(UInt64(1))), reason: "before its hello")
            try await attack("silence in TLS", known, [], reason: "did not introduce itself in time")
            try await attack("silence", nil, [], reason: "handshake")

            let before = bed.lines("link.refused", of: relay).count
            let bare = try await run(["openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-tls1_3", "-quiet"])
            #expect(bare.ending != .signal(SIGKILL))
            try await eventually("the log tells of the missing certificate", detail: bed.tail(of: relay)) {
                bed.lines("link.refused", of: relay).dropFirst(before).contains { $0.contains("no certificate") }
            }
            #expect(bed.process(relay)?.pid == pid && bed.process(relay)?.isRunning == true)
        }

        @Test(.timeLimit(.minutes(2)), arguments: [1, 3]) func manyStrangersLeakNothing(reactors: Int) async throws {
            let place = try TemporaryDirectory()
            let bed = try await makeBed(place, reactors: reactors)
            let relay = "dmz/relay-1"
            let port = try bed.port(of: relay)
            let pid = try #require(bed.process(relay)?.pid)
            let known = try Identity.context(issuedTo: "plant-x/relay-1", by: place.path("mesh"))
            func wave(_ count: Int) throws {
                for number in 0..<count {
                    let stranger = try Stranger(port: port)
                    switch number % 4 {
                    case 0: stranger.say([UInt8](repeating: 0x16, count: 4000))
                    case 1:
                        try stranger.handshake(known)
                        stranger.say(Self.frame(1, [], length: 0xFFFF_FFFF))
                    case 2:
                        try stranger.handshake(known)
                        stranger.say(Self.hello("plant-x/relay-1") + Self.frame(2, [UInt8](repeating: 1, count: 20)))
                    default: break
                    }
                    if number % 4 != 3 { #expect(stranger.isClosed(within: .seconds(8))) }
                }
            }
            func descriptors() -> Int {
                TemporaryDirectory.names(in: "/proc/\(pid)/fd").count
            }
            // Once to warm up what is kept for re-use.
            try wave(60)
            let memory = ProcessMemory(pid: pid)
            try await eventually("the first have gone") { descriptors() < 40 }
            let (bytes, open) = (memory.residentBytes, descriptors())
            try wave(isSoak ? 4000 : 400)
            try await eventually("all have gone", detail: "\(descriptors()) descriptors, \(open) before") {
                descriptors() <= open
            }
            let grown = isSanitized ? 0 : memory.residentBytes - bytes
            #expect(grown < 8 << 20, "\(bytes) bytes before, \(memory.residentBytes) after")
            try place.write("still here\n", to: "input/lines.txt", appending: true)
            try await bed.awaitFile("output/lines.txt", is: Array("still here\n".utf8))
        }

        private func makeBed(_ place: TemporaryDirectory, reactors: Int) async throws -> Testbed {
            try place.makeDirectory("input")
            try place.makeDirectory("output")
            try place.write("", to: "input/lines.txt")
            var layout = Layout()
            layout.set(reactors: reactors)
            try layout.relay("dmz/relay-1")
            // Known, and never started: the strangers use its name.
            try layout.relay("plant-x/relay-1")
            layout.agent(
                "dmz/agent-1",
                jobs: [
                    "{name: lines, to: dmz/agent-2, schedule: {every: 20ms}, "
                        + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                ])
            layout.agent(
                "dmz/agent-2",
                sinks: ["{name: lines, topics: [lines], sink: {kind: files, directory: ../../output, name: lines.txt}}"]
            )
            // May attach, and never does: a stranger has its certificate.
            layout.agent("dmz/agent-3")
            for number in 1...3 { layout.link("dmz/agent-\(number)", "dmz/relay-1") }
            layout.link("plant-x/relay-1", "dmz/relay-1")
            layout.flow("all", from: "dmz/agent-1", to: "dmz/agent-2")
            let bed = try await Testbed.make(layout, in: place)
            for name in ["dmz/relay-1", "dmz/agent-1", "dmz/agent-2"] { try bed.start(name) }
            for name in ["dmz/agent-1", "dmz/agent-2"] { try await bed.awaitLink(name, "dmz/relay-1") }
            return bed
        }
    }
}
