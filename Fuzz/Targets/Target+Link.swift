import Envelope

@testable import Link

/// What a session tells, in words that can be compared.
private struct Witness: SessionEvents {
    var told: [String] = []

    mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer
    ) {
        told.append("received \(transmission) \(lane) \(hop) \(CRC32C.checksum(of: envelope))")
    }

    mutating func confirmed(token: UInt32) { told.append("confirmed \(token)") }

    mutating func refused(token: UInt32, reason: RefusalReason, delay: Duration) {
        told.append("refused \(token) \(reason) \(delay)")
    }

    /// Asks for a pause at each message of the mesh.
    var pauses = false
    var mustPause = false

    mutating func meshMessage(_ bytes: UnsafeRawBufferPointer) {
        told.append("mesh \(CRC32C.checksum(of: bytes))")
        mustPause = pauses
    }
}

extension Target {
    private static func session(_ node: String, to peer: String) -> Session {
        Session(
            Session.Configuration(
                node: node, kind: .relay, software: "fuzz", session: Bytes16(low: 1, high: 1),
                resumes: Bytes16(low: 0, high: 0), safe: RangeSet(), wall: Sample.now, certifiedPeer: peer),
            at: .zero)
    }

    /// What a session of the peer would write first.
    private static let peerHello: [UInt8] = {
        let peer = session("zone/peer", to: "zone/us")
        return Array(peer.output)
    }()

    static let hello = Target(
        "hello", "the first frame of a session", longest: 1024,
        seeds: {
            var safe = RangeSet()
            safe.insert(3...9)
            safe.insert(20...20)
            var queue = ByteQueue()
            Hello(
                node: "zone/peer", kind: .agent, software: "x", session: Bytes16(low: 1, high: 2),
                resumes: Bytes16(low: 3, high: 4), safe: safe, wall: Sample.now
            ).write(to: &queue)
            return [
                ("plain", [7] + peerHello), ("resuming", [0] + Array(queue.readable)),
                ("bye", [0, 3, 0, 0, 0, 8, 0, 0, 0, 1, 1, 65]),
            ]
        },
        run: { input in
            let step = max(1, Int(input.first ?? 0))
            var session = Self.session("zone/us", to: "zone/peer")
            var rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(step))
                do throws(SessionError) {
                    if let arrived = try session.receiveHello(piece, at: .zero) {
                        require(arrived.rest.count <= piece.count, "the rest is of what was given")
                        var queue = ByteQueue()
                        arrived.hello.write(to: &queue)
                        let payload = UnsafeRawBufferPointer(rebasing: queue.readable[FrameHeader.size...])
                        require((try? Hello(payload)) == arrived.hello, "a hello is written as it was read")
                        return
                    }
                } catch {
                    _ = (error.description, error.bye)
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            }
        })

    /// A session after both hellos, with four envelopes under way.
    private static func established() -> Session {
        var session = Self.session("zone/us", to: "zone/peer")
        peerHello.withUnsafeBytes { _ = try? session.receiveHello($0, at: .zero) }
        require(session.isEstablished, "the peer's hello is understood")
        let small = Sample.envelope(body: [1, 2, 3])
        small.withUnsafeBytes { envelope in
            for token in 0..<3 as Range<UInt32> {
                session.transmit(token: token, lane: .live, hop: HopFields(), envelope: envelope)
            }
        }
        let large = Sample.envelope(body: [UInt8](repeating: 1, count: Limits.frameBytes + 10))
        large.withUnsafeBytes {
            _ = session.transmit(token: 3, lane: .bulk, hop: HopFields(), envelope: $0)
        }
        return session
    }

    private static func feed(_ bytes: UnsafeRawBufferPointer, in step: Int) -> (told: [String], output: UInt32) {
        var session = established()
        session.consumeOutput(session.output.count)
        var witness = Witness()
        var rest = bytes
        do throws(SessionError) {
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(step))
                try session.receive(piece, at: Instant(nanoseconds: 1_000), into: &witness)
                rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
            }
        } catch {
            witness.told.append(error.description)
        }
        let output = CRC32C.checksum(of: session.output)
        _ = session.abandon()
        return (witness.told, output)
    }

    /// The first piece comes behind the hello, and whoever hears reads on after every other piece only.
    private static func feedWithPauses(_ bytes: UnsafeRawBufferPointer, in step: Int) -> [String] {
        var session = established()
        session.consumeOutput(session.output.count)
        var witness = Witness()
        witness.pauses = true
        var rest = bytes
        var count = 0
        do throws(SessionError) {
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(step))
                rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
                if count == 0 {
                    session.hold(piece)
                } else {
                    try session.receive(piece, at: Instant(nanoseconds: 1_000), into: &witness)
                }
                count += 1
                guard count % 2 == 0 || rest.isEmpty else { continue }
                while session.isPaused {
                    witness.mustPause = false
                    try session.resume(at: Instant(nanoseconds: 1_000), into: &witness)
                }
            }
        } catch {
            witness.told.append(error.description)
        }
        _ = session.abandon()
        piecesAfterTheEnd(&session, &witness)
        return witness.told
    }

    private static func piecesAfterTheEnd(_ session: inout Session, _ witness: inout Witness) {
        let told = witness.told
        [0, 1, 2].withUnsafeBytes { bytes in
            session.hold(bytes)
            try? session.receive(bytes, at: .zero, into: &witness)
        }
        require(!session.isPaused && witness.told == told, "a session that has ended hears nothing")
    }

    static let frames = Target(
        "frames", "frames of a session, whole and in pieces", longest: 8192,
        seeds: {
            var sender = established()
            sender.consumeOutput(session("zone/us", to: "zone/peer").output.count)
            var word = RangeSet()
            word.insert(1...2)
            sender.confirm(word, bytesGranted: 1 << 25, envelopesGranted: 1 << 17)
            sender.sendMesh([1, 2, 3])
            let frames = Array(sender.output)
            var queue = ByteQueue()
            for (first, last) in [(1, 2), (3, 3)] as [(UInt64, UInt64)] {
                queue.appendFrame(.custody) { payload in
                    for number in [1 << 25, 1 << 17, first, last] { payload.append(number) }
                }
            }
            let custody = Array(queue.readable)
            queue = ByteQueue()
            let envelope = Sample.envelope(body: [UInt8](repeating: 7, count: 60))
            for (number, lane) in [(1, Lane.bulk), (2, .control), (3, .live)] {
                for offset in [0, 82] {
                    let flags = lane.rawValue | (offset == 0 ? 0 : DataFlags.last)
                    queue.appendFrame(.data, flags: flags) { payload in
                        payload.append(UInt64(number))
                        payload.append(UInt32(envelope.count))
                        payload.append(UInt32(offset))
                        payload.append(HopFields().encoded)
                        payload.append(Array(envelope[offset..<offset + 82]))
                    }
                }
            }
            let fragments = Array(queue.readable)
            let refusal: [UInt8] = [13, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2]
            let ping: [UInt8] = [8, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
            let pong: [UInt8] = [8, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
            let bye: [UInt8] = [3, 0, 0, 0, 8, 0, 0, 0, 1, 1, 65]
            return [
                ("data", [5] + frames.prefix(430)), ("large", [255] + frames.prefix(5000)),
                ("end", [200] + frames.suffix(56)), ("custody", [9] + custody),
                ("fragments", [40] + fragments),
                ("refusal", [1] + refusal + ping + pong + bye),
            ]
        },
        run: { input in
            let step = max(1, Int(input.first ?? 0))
            let bytes = UnsafeRawBufferPointer(rebasing: input.dropFirst())
            let (whole, pieces) = (feed(bytes, in: max(1, bytes.count)), feed(bytes, in: step))
            require(whole == pieces, "pieces say the same as the whole: \(whole.told) and \(pieces.told)")
            let paused = feedWithPauses(bytes, in: step)
            require(paused == whole.told, "with pauses it is the same: \(whole.told) and \(paused)")
        })
}
