import Crypto
import Envelope
import Keyring
import Node
import Platform
import Synchronization
import Testing

extension IntegrationTests {
    /// A relay in the hands of an attacker alters, forges, repeats and misdirects: nothing of it has an effect, and good
    /// traffic goes on.
    @Suite(.serialized) struct EnvelopeTests {
        /// Two agents on one relay, in whose place the rogue is.
        private struct Scene {
            let place: TemporaryDirectory
            let bed: Testbed
            let rogue: RogueRelay
            let sender: NodeName
            let receiver: NodeName
        }

        @Test(.timeLimit(.minutes(2))) func whatWasAlteredForgedRepeatedOrMisdirectedHasNoEffect() async throws {
            let scene = try await makeScene()
            let (bed, rogue) = (scene.bed, scene.rogue)
            let envelope = try await capture(scene)
            let header = try Header(envelope)

            var bad: [[UInt8]] = envelope.indices.map { place in
                var altered = envelope
                altered[place] ^= 1 << UInt8(place % 8)
                return altered
            }
            bad += try rewritten(envelope)
            bad += try forged(like: header)
            bad.append(Array(envelope.dropLast()))
            bad.append(envelope + [0])
            for envelope in bad { rogue.send(envelope, to: scene.receiver) }
            try await eventually("each was judged and taken off the relay's hands", detail: bed.tails) {
                rogue.confirmed == bad.count
            }
            let status = try bed.status("plant-b/agent-1")
            #expect(status.counters.quarantined == bad.count)
            #expect(status.sinks.allSatisfy { $0.records == 0 })
            #expect(status.counters.isBalanced, "\(status.counters)")
            #expect(scene.place.read("output/lines.txt") == nil)
            #expect(!bed.lines("quarantine", of: "plant-b/agent-1").isEmpty)
            // None of it came back out of the agent: it is no relay.
            #expect(!rogue.received.contains { $0.from == scene.receiver && bad.contains($0.envelope) })

            // The good one has its effect once, however often it comes: at once, where copies may be given back while
            // the first is on its way into the sink, and later.
            let copies = 6
            for _ in 0..<copies { rogue.send(envelope, to: scene.receiver) }
            try await bed.awaitFile("output/lines.txt", is: Array("first\n".utf8))
            try await eventually("the copies were judged", detail: bed.tails) {
                rogue.confirmed + rogue.refused == bad.count + copies
            }
            let before = try bed.status("plant-b/agent-1").counters.duplicates
            for _ in 0..<copies { rogue.send(envelope, to: scene.receiver) }
            try await eventually("the late copies were counted", detail: bed.tails) {
                try bed.status("plant-b/agent-1").counters.duplicates == before + UInt64(copies)
            }
            #expect(scene.place.text("output/lines.txt") == "first\n")
            // And good traffic goes on.
            beHonest(scene)
            try scene.place.write("second\n", to: "input/lines.txt", appending: true)
            try await bed.awaitFile("output/lines.txt", is: Array("first\nsecond\n".utf8))
            try await eventually("all is receipted", detail: bed.tails) {
                try bed.status("plant-b/agent-2").jobs.allSatisfy { $0.unreceipted == 0 }
            }
        }

        @Test(.timeLimit(.minutes(2))) func aForgedReceiptHasNoEffect() async throws {
            let scene = try await makeScene()
            let (bed, rogue) = (scene.bed, scene.rogue)
            let header = try Header(try await capture(scene))
            let entries = [Receipt.Entry(stream: header.stream, mark: header.sequence)]
            let relay = try Identity.file(bed.directory(of: "plant-b/relay-1"), "key.pem")
            let relayKey = try SigningKey(pem: relay)
            let certificates = try ["plant-b/relay-1", "plant-b/agent-1"].map { name in
                try NodeCertificate(pem: Identity.file(bed.directory(of: name), "certificate.pem")).der
            }
            var forgeries = 0
            for certificate in certificates {
                let signed = Receipt.signedBytes(
                    from: header.destination, to: header.source, entries: entries, certificate: certificate)
                for signature in [relayKey.sign(signed, for: .receipt), [UInt8](repeating: 7, count: 64)] {
                    let receipt = Receipt(entries: entries, certificate: certificate, signature: signature)
                    rogue.send(try envelope(receipt, answering: header), to: scene.sender)
                    forgeries += 1
                }
            }
            try await eventually("each was judged", detail: bed.tails) {
                try bed.status("plant-b/agent-2").counters.quarantined >= forgeries
            }
            #expect(try bed.status("plant-b/agent-2").jobs.map(\.unreceipted) == [1])
            #expect(bed.lines("receipt.forged", of: "plant-b/agent-2").count == forgeries)
            // It still sends what nobody has receipted.
            beHonest(scene)
            try await bed.awaitFile("output/lines.txt", is: Array("first\n".utf8))
            try await eventually("the genuine receipt counts", detail: bed.tails) {
                try bed.status("plant-b/agent-2").jobs.map(\.unreceipted) == [0]
            }
        }

        /// A rogue that alters at random what it passes on costs time, and nothing else.
        @Test(.timeLimit(.minutes(2))) func aRelayThatAltersEverySecondEnvelopeOnlyCostsTime() async throws {
            let scene = try await makeScene()
            let bed = scene.bed
            let (sender, receiver) = (scene.sender, scene.receiver)
            // The waits for a receipt double, so the same envelope meets this fate twice at most, and of the receipts, which
            // are never the same, no two in a row.
            let altered = Mutex<[[UInt8]: Int]>([:])
            scene.rogue.meddle { envelope, from in
                var passed = envelope
                let key = from == sender ? envelope : []
                let isAltered = altered.withLock { altered in
                    let times = altered[key, default: 0]
                    let isAltered = times < (from == sender ? 2 : 1) && Bool.random()
                    altered[key] = isAltered ? times + 1 : from == sender ? times : 0
                    return isAltered
                }
                if isAltered { passed[Int.random(in: passed.indices)] ^= 1 << UInt8.random(in: 0...7) }
                return [(passed, from == sender ? receiver : sender)]
            }
            var text = "first\n"
            for round in 1...20 {
                let line = "line \(round)\n"
                try scene.place.write(line, to: "input/lines.txt", appending: true)
                text += line
                try await eventually("it is on its way") { scene.rogue.received.count > round }
            }
            try await bed.awaitFile("output/lines.txt", is: Array(text.utf8), within: .seconds(90))
            #expect(try bed.status("plant-b/agent-1").counters.quarantined > 0)
        }

        // MARK: Parts

        private func makeScene() async throws -> Scene {
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            try place.makeDirectory("output")
            var layout = Layout()
            layout.defaults = layout.defaults.map { $0.hasPrefix("resendAfter") ? "resendAfter: 1s" : $0 }
            try layout.relay("plant-b/relay-1")
            layout.agent(
                "plant-b/agent-1",
                sinks: ["{name: lines, topics: [lines], sink: {kind: files, directory: ../../output, name: lines.txt}}"]
            )
            layout.agent(
                "plant-b/agent-2",
                jobs: [
                    "{name: lines, to: plant-b/agent-1, schedule: {every: 20ms}, "
                        + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                ])
            for number in 1...2 { layout.link("plant-b/agent-\(number)", "plant-b/relay-1") }
            layout.flow("all", from: "plant-b/agent-2", to: "plant-b/agent-1")
            let bed = try await Testbed.make(layout, in: place)
            let rogue = try RogueRelay(
                as: NodeName("plant-b/relay-1"), directory: bed.directory(of: "plant-b/relay-1"),
                port: bed.port(of: "plant-b/relay-1"))
            let scene = Scene(
                place: place, bed: bed, rogue: rogue, sender: try NodeName("plant-b/agent-2"),
                receiver: try NodeName("plant-b/agent-1"))
            for name in ["plant-b/agent-1", "plant-b/agent-2"] { try bed.start(name) }
            try await eventually("both agents are at the rogue", detail: bed.tails) {
                rogue.isJoined(by: scene.sender) && rogue.isJoined(by: scene.receiver)
            }
            try place.write("first\n", to: "input/lines.txt")
            return scene
        }

        /// The first envelope of the sender, which goes no further.
        private func capture(_ scene: Scene) async throws -> [UInt8] {
            try await eventually("an envelope comes to the rogue", detail: scene.bed.tails) {
                !scene.rogue.received.isEmpty
            }
            return try #require(scene.rogue.received.first).envelope
        }

        /// Passes everything on as a good relay does; what it swallowed comes again from the source.
        private func beHonest(_ scene: Scene) {
            let (sender, receiver) = (scene.sender, scene.receiver)
            scene.rogue.meddle { envelope, from in [(envelope, from == sender ? receiver : sender)] }
        }

        /// Every field of the header changed, with a checksum that is right again.
        private func rewritten(_ envelope: [UInt8]) throws -> [[UInt8]] {
            let other = Bytes16(low: 1, high: 2)
            let changes: [(inout Header) -> Void] = [
                { $0.lane = .bulk }, { $0.flags = .init(rawValue: 1) }, { $0.source = NodeID(other) },
                { $0.source = NodeID(ofText: "plant-b/agent-1") }, { $0.destination = NodeID(other) },
                { $0.destination = NodeID(ofText: "plant-b/agent-2") }, { $0.stream = StreamID(other) },
                { $0.sequence = Envelope.Sequence($0.sequence.number + 1) },
                { $0.created = WallTime(milliseconds: $0.created.milliseconds + 1) }, { $0.lifetime += 1 },
                { $0.key = KeyID(other) }, { $0.kind = .receipt },
            ]
            return try changes.map { change in
                var header = try Header(envelope)
                change(&header)
                return header.encoded + envelope[Header.size...]
            }
        }

        /// Sealed in good order, but not under the pair's key: as itself, and under the name of the right key.
        private func forged(like header: Header) throws -> [[UInt8]] {
            let now = Clock.wall
            func later(_ hours: Int64) -> WallTime { WallTime(milliseconds: now.milliseconds + hours * 3_600_000) }
            let life = try #require(
                KeyLife(created: later(-1), notBefore: later(-1), softEnd: later(1), hardEnd: later(2)))
            let (sender, receiver) = (try NodeName("plant-b/agent-2"), try NodeName("plant-b/agent-1"))
            let record = try KeyRecord(
                generation: 1, creator: sender, life: life, keyRoot: SecretBytes(random: 32),
                codeRoot: SecretBytes(random: 32))
            var keychain = Keychain(holder: sender)
            try keychain.insert(record.grant(to: sender, for: [receiver]))
            let keys = try #require(keychain.sealing(for: NodeID(of: receiver), at: now))
            var sealer = Sealer(keys, from: header.source, to: header.destination, stream: header.stream)
            var batch = try RecordBatch.Builder(topic: "lines")
            try batch.append(key: nil, value: Array("forged".utf8), headers: [], at: now)
            var envelope: [UInt8] = []
            try sealer.seal(
                batch.finish(), sequence: header.sequence, floor: header.floor, created: now, lifetime: 60, lane: .live,
                into: &envelope)
            var claiming = try Header(envelope)
            claiming.key = header.key
            return [envelope, claiming.encoded + envelope[Header.size...]]
        }

        private func envelope(_ receipt: Receipt, answering header: Header) throws -> [UInt8] {
            let body = receipt.encoded
            let answer = Header(
                kind: .receipt, lane: .control, source: header.destination, destination: header.source,
                stream: StreamID(Entropy.bytes16()), sequence: Envelope.Sequence(1), floor: Envelope.Sequence(1),
                created: Clock.wall, lifetime: 60, key: KeyID(Bytes16(low: 0, high: 0)), bodyLength: UInt32(body.count))
            return answer.encoded + body
        }
    }
}
