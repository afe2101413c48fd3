import Crypto
import Envelope
import Glibc
import Link
import Platform

/// What the rogue's own thread does: lets peers in, reads, meddles, sends. It takes custody of everything at once,
/// which no honest relay may.
struct RogueLoop {
    private final class Peer {
        let socket: Int32
        let tls: TLSSession
        var name: NodeName?
        var session: Session?
        var waiting: [[UInt8]] = []
        var events = RogueEvents()
        var bytesReceived: UInt64 = 0
        var count: UInt64 = 0

        init(_ socket: Int32, _ context: TLSContext) {
            self.socket = socket
            tls = TLSSession(context, socket: socket, side: .server)
        }

        deinit { close(socket) }
    }

    private let name: NodeName
    private let context: TLSContext
    private let listening: Int32
    private let shared: RogueRelay.Shared
    private var peers: [Peer] = []
    private var unsent: [(envelope: [UInt8], to: NodeName)] = []

    init(name: NodeName, context: TLSContext, listening: Int32, shared: RogueRelay.Shared) {
        (self.name, self.context, self.listening, self.shared) = (name, context, listening, shared)
    }

    mutating func run() {
        defer { close(listening) }
        while !shared.withLock({ $0.isStopped }) {
            var polls = [pollfd(fd: listening, events: Int16(POLLIN), revents: 0)]
            polls += peers.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) }
            // Short, since sockets that are full are tried again with each turn.
            guard poll(&polls, nfds_t(polls.count), 5) >= 0 || errno == EINTR else { return }
            if polls[0].revents != 0 { acceptOne() }
            for index in peers.indices.reversed() where !turn(peers[index]) { remove(index) }
            distribute()
            for index in peers.indices.reversed() where !write(peers[index]) { remove(index) }
        }
    }

    private mutating func remove(_ index: Int) {
        let peer = peers.remove(at: index)
        guard let name = peer.name, !peers.contains(where: { $0.name == name }) else { return }
        shared.withLock { _ = $0.peers.remove(name) }
    }

    private mutating func acceptOne() {
        let socket = accept(listening, nil, nil)
        guard socket >= 0 else { return }
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        peers.append(Peer(socket, context))
    }

    /// Goes on with the handshake, then reads. False once the peer is gone.
    private func turn(_ peer: Peer) -> Bool {
        if peer.session == nil {
            switch peer.tls.handshake() {
            case .wantsRead, .wantsWrite: return true
            case .failed: return false
            case .done: greet(peer)
            }
        }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            switch buffer.withUnsafeMutableBytes({ peer.tls.read(into: $0) }) {
            case .bytes(let count): guard read(peer, Array(buffer[..<count])) else { return false }
            case .wantsRead, .wantsWrite: return true
            default: return false
            }
        }
    }

    private func greet(_ peer: Peer) {
        guard let certified = peer.tls.peer else { return }
        peer.name = certified
        peer.session = Session(
            Session.Configuration(
                node: name.description, kind: .relay, software: "rogue", session: Entropy.bytes16(),
                resumes: Bytes16(low: 0, high: 0), safe: RangeSet(), wall: Clock.wall,
                certifiedPeer: certified.description), at: Clock.now)
    }

    private func read(_ peer: Peer, _ bytes: [UInt8]) -> Bool {
        do {
            try bytes.withUnsafeBytes { try parse(peer, $0) }
        } catch {
            return false
        }
        take(peer)
        return true
    }

    private func parse(_ peer: Peer, _ bytes: UnsafeRawBufferPointer) throws {
        let now = Clock.now
        var rest = bytes
        if peer.session?.isEstablished == false {
            guard let arrived = try peer.session?.receiveHello(rest, at: now) else { return }
            rest = arrived.rest
            if let name = peer.name { shared.withLock { _ = $0.peers.insert(name) } }
        }
        try peer.session?.receive(rest, at: now, into: &peer.events)
    }

    /// Confirms what came and hands it to the test.
    private func take(_ peer: Peer) {
        guard let name = peer.name else { return }
        var safe = RangeSet()
        for (number, envelope) in peer.events.received {
            safe.insert(number)
            peer.bytesReceived += UInt64(envelope.count)
            peer.count += 1
        }
        let events = peer.events
        peer.events = RogueEvents()
        if !safe.isEmpty {
            peer.session?.confirm(
                safe, bytesGranted: peer.bytesReceived + UInt64(Limits.linkWindowBytes),
                envelopesGranted: peer.count + UInt64(Limits.linkWindowEnvelopes))
        }
        shared.withLock { state in
            state.confirmed += events.confirmed
            state.refused += events.refused
            for (_, envelope) in events.received {
                state.received.append((envelope, name))
                state.toSend += state.meddling(envelope, name)
            }
        }
    }

    private mutating func distribute() {
        let peers = peers
        let taken = shared.withLock { state in
            defer { state.toSend = [] }
            return Outgoing(list: state.toSend)
        }
        unsent += taken.list
        unsent.removeAll { item in
            guard let peer = peers.last(where: { $0.name == item.to && $0.session?.isEstablished == true }) else {
                return false
            }
            peer.waiting.append(item.envelope)
            return true
        }
    }

    private struct Outgoing: Sendable {
        var list: [(envelope: [UInt8], to: NodeName)]
    }

    private func write(_ peer: Peer) -> Bool {
        let now = Clock.now
        do throws(SessionError) { try peer.session?.timeReached(now) } catch { return false }
        while let envelope = peer.waiting.first, peer.session?.hasRoom == true, peer.session?.mayBegin(.live) == true {
            peer.waiting.removeFirst()
            _ = envelope.withUnsafeBytes {
                peer.session?.transmit(token: 1, lane: .live, hop: HopFields(), envelope: $0)
            }
            while peer.session?.tokenUnderWay(.live) != nil {
                _ = envelope.withUnsafeBytes { peer.session?.continueTransmission(.live, envelope: $0) }
            }
        }
        while let output = peer.session?.output, output.count > 0,
            case .bytes(let count) = peer.tls.write(output)
        {
            peer.session?.consumeOutput(count)
        }
        _ = peer.tls.flush()
        return true
    }
}

/// Keeps what a session tells.
struct RogueEvents: SessionEvents, Sendable {
    var received: [(UInt64, [UInt8])] = []
    var confirmed = 0
    var refused = 0

    mutating func received(transmission: UInt64, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer) {
        received.append((transmission, Array(envelope)))
    }
    mutating func confirmed(token: UInt32) { confirmed += 1 }
    mutating func refused(token: UInt32, reason: Link.RefusalReason, delay: Duration) { refused += 1 }
    mutating func meshMessage(_ bytes: UnsafeRawBufferPointer) {}
}
