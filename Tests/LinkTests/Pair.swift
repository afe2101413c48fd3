import Envelope
import Testing

@testable import Link

/// Collects what a session says.
struct Heard: SessionEvents {
    var envelopes: [(transmission: UInt64, lane: Lane, hop: HopFields, bytes: [UInt8])] = []
    var confirmed: [UInt32] = []
    var refused: [(token: UInt32, reason: RefusalReason, delay: Duration)] = []
    var mesh: [[UInt8]] = []

    mutating func received(transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer) {
        envelopes.append((transmission, lane, hop, Array(envelope)))
    }
    mutating func confirmed(token: UInt32) { confirmed.append(token) }
    mutating func refused(token: UInt32, reason: RefusalReason, delay: Duration) {
        refused.append((token, reason, delay))
    }
    mutating func meshMessage(_ bytes: UnsafeRawBufferPointer) {
        mesh.append(Array(bytes))
        mustPause = pausesAtMesh
    }
    /// Asks for a pause at each mesh message; whoever resumes takes it back.
    var pausesAtMesh = false
    var mustPause = false
}

/// The same, with memory for envelopes that come in parts. What is lent and never comes back is a leak.
struct Lender: SessionEvents {
    var heard = Heard()
    private var memory: [Int32: UnsafeMutableRawBufferPointer] = [:]
    private var last: Int32 = 0
    /// Envelopes put together in what was lent.
    var inPlace = 0

    var lent: Int { memory.count }

    mutating func place(for bytes: Int) -> EnvelopePlace? {
        last += 1
        let place = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 16)
        memory[last] = place
        return place.baseAddress.map { EnvelopePlace(base: $0, number: last) }
    }

    mutating func giveBack(_ place: EnvelopePlace) {
        guard let bytes = memory.removeValue(forKey: place.number), bytes.baseAddress == place.base else {
            Issue.record("given back twice, or never lent: \(place)")
            return
        }
        bytes.deallocate()
    }

    mutating func received(transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer) {
        heard.received(transmission: transmission, lane: lane, hop: hop, envelope: envelope)
    }
    mutating func received(
        transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer, in place: EnvelopePlace
    ) {
        #expect(envelope.baseAddress == UnsafeRawPointer(place.base))
        heard.received(transmission: transmission, lane: lane, hop: hop, envelope: envelope)
        giveBack(place)
        inPlace += 1
    }
    mutating func confirmed(token: UInt32) { heard.confirmed(token: token) }
    mutating func refused(token: UInt32, reason: RefusalReason, delay: Duration) {
        heard.refused(token: token, reason: reason, delay: delay)
    }
    mutating func meshMessage(_ bytes: UnsafeRawBufferPointer) { heard.meshMessage(bytes) }
}

/// One session with what it has heard, driven by bytes.
final class End {
    var session: Session
    var heard = Heard()
    var hello: Hello?
    var error: SessionError?
    var now = Instant(nanoseconds: 1_000)

    init(_ name: String, peer: String, resumes: Bytes16 = Bytes16(low: 0, high: 0), safe: RangeSet = RangeSet()) {
        session = Session(
            Session.Configuration(
                node: name, kind: .relay, software: "test 1", session: Bytes16(low: 1, high: 2), resumes: resumes,
                safe: safe, wall: WallTime(milliseconds: 5), certifiedPeer: peer),
            at: now)
    }

    // Copies, since an expectation cannot look into what is not copyable.
    var isEstablished: Bool { session.isEstablished }
    var envelopesInFlight: Int { session.envelopesInFlight }
    var outputBytes: Int { session.output.count }
    var hasOutput: Bool { session.hasOutput }
    var roundTrip: Duration? { session.roundTrip }
    var nextDeadline: Instant { session.nextDeadline }
    func mayBegin(_ lane: Lane) -> Bool { session.mayBegin(lane) }
    func timeReached(_ now: Instant) throws(SessionError) { try session.timeReached(now) }
    func abandon() -> [(transmission: UInt64, token: UInt32)] { session.abandon() }

    func take(_ limit: Int = .max) -> [UInt8] {
        let bytes = Array(session.output.prefix(limit))
        session.consumeOutput(bytes.count)
        return bytes
    }

    func receive(_ bytes: [UInt8]) {
        guard error == nil, !bytes.isEmpty else { return }
        bytes.withUnsafeBytes { buffer in
            do throws(SessionError) {
                var rest = buffer
                if !session.isEstablished {
                    guard let arrived = try session.receiveHello(buffer, at: now) else { return }
                    hello = arrived.hello
                    rest = arrived.rest
                }
                try session.receive(rest, at: now, into: &heard)
            } catch {
                self.error = error
            }
        }
    }

    var isPaused: Bool { session.isPaused }

    /// Acts on what was heard and reads on.
    func resume() {
        heard.mustPause = false
        do throws(SessionError) { try session.resume(at: now, into: &heard) } catch { self.error = error }
    }

    func send(_ token: UInt32, _ lane: Lane = .live, bytes: Int = 200) {
        let envelope = [UInt8](repeating: UInt8(truncatingIfNeeded: token), count: bytes)
        envelope.withUnsafeBytes {
            _ = session.transmit(token: token, lane: lane, hop: HopFields(), envelope: $0)
        }
    }
}

/// Two sessions wired to each other.
struct Pair {
    let a: End
    let b: End

    init(greeted: Bool = true) {
        a = End("zone/a", peer: "zone/b")
        b = End("zone/b", peer: "zone/a")
        if greeted { exchange() }
    }

    /// Everything written is brought over, in pieces of at most this many bytes.
    func exchange(pieces: Int = .max) {
        while a.session.hasOutput || b.session.hasOutput {
            b.receive(a.take(pieces))
            a.receive(b.take(pieces))
        }
    }
}

/// Frames written by hand.
enum Raw {
    static func frame(_ kind: UInt8, flags: UInt8 = 0, _ payload: [UInt8], length: Int? = nil) -> [UInt8] {
        little(UInt32(length ?? payload.count)) + [kind, flags, 0, 0] + payload
    }

    static func data(
        _ transmission: UInt64, total: Int, offset: Int = 0, bytes: Int, lane: UInt8 = 1, isLast: Bool
    ) -> [UInt8] {
        let prefix = little(transmission) + little(UInt32(total)) + little(UInt32(offset)) + HopFields().encoded
        return frame(2, flags: lane | (isLast ? 4 : 0), prefix + [UInt8](repeating: 7, count: bytes))
    }

    static func custody(_ ranges: [(UInt64, UInt64)], bytes: UInt64 = 16 << 20, envelopes: UInt64 = 65_536) -> [UInt8] {
        frame(3, little(bytes) + little(envelopes) + ranges.flatMap { little($0.0) + little($0.1) })
    }

    static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
