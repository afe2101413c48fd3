import Envelope
import Link
import Testing

@testable import Mesh

/// Two exchanges with a session between them; what one writes the other reads at once.
private final class Couple {
    final class Side {
        var exchange: Exchange
        init(_ exchange: consuming Exchange) { self.exchange = exchange }
    }

    static let names = ["a/relay", "b/relay"].compactMap { try? NodeName($0) }
    let sides: [Side]
    var sessions: [SessionID] = []
    var now = Instant(nanoseconds: 1)
    var events: [[Exchange.Event]] = [[], []]

    init() {
        sides = Self.names.map {
            Side(
                Exchange(
                    node: $0, kind: .relay, software: "toy",
                    forwarder: Forwarder(.init(memoryBytes: 1 << 20, hasStore: true), locals: [id($0)], policy: .open)))
        }
        for side in [0, 1] {
            let peer = Self.names[1 - side]
            sessions.append(
                sides[side].exchange.open(
                    peer: id(peer), name: peer, session: Bytes16(low: UInt64(side) + 1, high: 1),
                    wall: WallTime(milliseconds: 0), at: now))
        }
        pump()
    }

    /// Carries bytes both ways until there are none.
    func pump() {
        for _ in 0..<20 {
            for side in [0, 1] {
                sides[side].exchange.settle(at: now)
                let bytes = sides[side].exchange.takeOutput(sessions[side])
                sides[side].exchange.drained(sessions[side], at: now)
                bytes.withUnsafeBytes { sides[1 - side].exchange.receive(sessions[1 - side], $0, at: now) }
                events[side] += sides[side].exchange.takeEvents()
                repeat {
                    events[1 - side] += sides[1 - side].exchange.takeEvents()
                    sides[1 - side].exchange.resume(at: now)
                } while sides[1 - side].exchange.isPaused
                events[1 - side] += sides[1 - side].exchange.takeEvents()
            }
        }
    }

    func memory(of side: Int) -> (held: Int, reserved: Int) {
        let slabs = sides[side].exchange.forwarder.holdings
        return (slabs.memoryBytes, slabs.memoryReservedBytes)
    }

    func isUp(_ side: Int) -> Bool { sides[side].exchange.forwarder.isEstablished(id(Self.names[1 - side])) }

    func link(of side: Int) -> LinkIndex? { sides[side].exchange.forwarder.linkNumber(of: id(Self.names[1 - side])) }

    /// Why the session of a side ended.
    func ending(of side: Int) -> SessionError? {
        for case .ended(_, _, let error, _) in events[side] { return error }
        return nil
    }
}

private func id(_ name: NodeName) -> NodeID {
    NodeID(Bytes16(low: UInt64(name.zone.description.utf8.first ?? 0), high: 0))
}

struct ExchangeTests {
    @Test func meshMessagesGoToThePeerInTheirOrder() throws {
        let couple = Couple()
        let link = try #require(couple.link(of: 0))
        for number in 1...3 as ClosedRange<UInt8> { couple.sides[0].exchange.sendMesh([number, 7], on: link) }
        couple.pump()
        let heard = couple.events[1].compactMap { event -> [UInt8]? in
            if case .meshMessage(_, let bytes) = event { bytes } else { nil }
        }
        #expect(heard == [[1, 7], [2, 7], [3, 7]])
        couple.sides[0].exchange.sendMesh([9], on: link + 5)
        couple.pump()
        #expect(couple.ending(of: 0) == nil && couple.ending(of: 1) == nil, "a link that is none takes nothing")
    }

    @Test func aSideThatLeavesSaysWhy() throws {
        let couple = Couple()
        let link = try #require(couple.link(of: 0))
        let found = couple.sides[0].exchange.session(of: link)
        #expect(found == couple.sessions[0])
        couple.sides[0].exchange.leave(couple.sessions[0], .replaced, at: couple.now)
        couple.pump()
        guard case .left(.replaced, _)? = couple.ending(of: 1) else {
            Issue.record("the other side hears of it: \(String(describing: couple.ending(of: 1)))")
            return
        }
        #expect(!couple.isUp(1))
    }

    /// A side with three long envelopes for the other that are on their way to the socket and read from where they lie.
    private func speakingAtLength() throws -> Couple {
        let couple = Couple()
        let (near, far) = (id(Couple.names[0]), id(Couple.names[1]))
        couple.sides[0].exchange.forwarder.setRoutes(RouteTable(fixed: [far: [far]]))
        for sequence in 1...3 as ClosedRange<UInt64> {
            let header = Header(
                kind: .data, lane: .live, source: near, destination: far, stream: StreamID(Bytes16(low: 7, high: 7)),
                sequence: Sequence(sequence), floor: Sequence(1), created: WallTime(milliseconds: 0), lifetime: 1000,
                key: KeyID(Bytes16(low: 1, high: 1)), bodyLength: 300_000)
            let envelope = header.encoded + [UInt8](repeating: 5, count: 300_000)
            envelope.withUnsafeBytes {
                couple.sides[0].exchange.forwarder.originate(
                    Forwarder.Origin(
                        destination: far, identity: header.identity, lane: .live, length: $0.count, lifetime: 1000,
                        owner: sequence, stored: sequence), $0, at: couple.now)
            }
        }
        couple.sides[0].exchange.settle(at: couple.now)
        return couple
    }

    @Test func aFarewellComesBehindAllThatWasBegun() throws {
        let couple = try speakingAtLength()
        couple.sides[0].exchange.leave(couple.sessions[0], .stopping, at: couple.now)
        let output = couple.sides[0].exchange.takeOutput(couple.sessions[0])
        #expect(output.count > 400_000)
        output.withUnsafeBytes { couple.sides[1].exchange.receive(couple.sessions[1], $0, at: couple.now) }
        couple.events[1] += couple.sides[1].exchange.takeEvents()
        guard case .left(.stopping, _)? = couple.ending(of: 1) else {
            Issue.record("the reason is read: \(String(describing: couple.ending(of: 1)))")
            return
        }
    }

    /// What a session was still to write goes back with it, when its envelopes go.
    @Test func aClosedSessionHoldsNoMemory() throws {
        let couple = try speakingAtLength()
        couple.sides[0].exchange.write(couple.sessions[0]) { min(20_000, $0.count) }
        couple.sides[0].exchange.close(couple.sessions[0], at: couple.now)
        couple.sides[0].exchange.timeReached(couple.now + .seconds(2_000))
        let (held, reserved) = couple.memory(of: 0)
        #expect(held == 0, "they have lived out their lives")
        // Two were in memory; the third did not fit the budget.
        for _ in 0..<2 { _ = couple.sides[0].exchange.forwarder.slabs.lend(300_248) }
        #expect(couple.memory(of: 0).reserved == reserved, "their memory is there for others")
    }

    @Test func theRoundTripIsMeasuredByPings() throws {
        let couple = Couple()
        let link = try #require(couple.link(of: 0))
        #expect(
            couple.sides[0].exchange.roundTrip(of: link + 5) == nil
                && couple.sides[0].exchange.session(of: link + 5) == nil)
        for _ in 0..<30 {
            couple.now = couple.now + .seconds(1)
            for side in [0, 1] { couple.sides[side].exchange.timeReached(couple.now) }
            couple.pump()
        }
        let measured = couple.sides[0].exchange.roundTrip(of: link)
        #expect(measured != nil, "an idle session pings")
        #expect(couple.ending(of: 0) == nil && couple.ending(of: 1) == nil)
    }

    @Test func aPeerThatFallsSilentIsGivenUp() {
        let couple = Couple()
        // Nothing of what it writes arrives.
        for _ in 0...Int(Limits.silence / .seconds(1)) + 4 {
            couple.now = couple.now + .seconds(1)
            couple.sides[0].exchange.timeReached(couple.now)
        }
        let events = couple.sides[0].exchange.takeEvents()
        #expect(events.contains { if case .ended(_, _, .silent, _) = $0 { true } else { false } })
        #expect(!couple.isUp(0))
    }
}
