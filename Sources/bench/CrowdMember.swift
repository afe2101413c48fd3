import Crypto
import Envelope
import Link
import Mesh
import Platform

/// One agent of a ``Crowd``.
final class Member: ChannelOwner {
    private unowned let crowd: Crowd
    private let context: TLSContext
    private var exchange: Exchange
    private let envelope: [UInt8]
    private let destination: NodeID
    private let isSink: Bool
    private var port: UInt16 = 0
    private var channel: Channel?
    private var session: SessionID?
    private var isEstablished = false
    private var outstanding = 0
    private var timer: DeadlineTimer?

    /// All read at once: there is one thread, and one member reads at a time.
    nonisolated(unsafe) private static let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 256 << 10, alignment: 64)

    init(_ crowd: Crowd, local: String, directory: String, body: Int) throws {
        self.crowd = crowd
        let home = "\(directory)/a-\(local)"
        context = try TLSContext(
            certificatePEM: Files.read("\(home)/certificate.pem", limit: 1 << 20),
            keyPEM: Files.read("\(home)/key.pem", limit: 1 << 20),
            authorityPEM: Files.read("\(home)/authority.pem", limit: 1 << 20))
        let name = try NodeName("a/\(local)")
        destination = NodeID(of: try NodeName("a/sink"))
        isSink = local == "sink"
        var forwarder = Forwarder(Forwarder.Configuration(hasStore: false), locals: [NodeID(of: name)], policy: .open)
        forwarder.setRoutes(RouteTable(always: [NodeID(of: crowd.relay)]))
        exchange = Exchange(node: name, kind: .agent, software: "bench", forwarder: forwarder)
        var header = Sample.header(bodyLength: body)
        header.source = NodeID(of: name)
        header.destination = destination
        envelope = header.encoded + [UInt8](repeating: 1, count: body)
        timer = DeadlineTimer(crowd.reactor) { [unowned self] in
            exchange.timeReached(crowd.reactor.now)
            pump()
        }
    }

    /// Once more where the relay has too many at the moment: it lets some hundreds in at once and then 200 a second.
    private static let redialDelay = Duration.milliseconds(500)

    func dial(port: UInt16) {
        self.port = port
        channel = Dialer(crowd.reactor).dial(host: "127.0.0.1", port: port, context: context, owner: self)
    }

    func channelOpened(_ channel: Channel) {
        session = exchange.open(
            peer: NodeID(of: crowd.relay), name: crowd.relay, session: Entropy.bytes16(), wall: Clock.wall,
            at: crowd.reactor.now)
        pump()
    }

    func channelReadable(_ channel: Channel) {
        guard let session else { return }
        let count = channel.read(into: Self.buffer)
        guard count > 0 else { return }
        exchange.receive(session, UnsafeRawBufferPointer(rebasing: Self.buffer[..<count]), at: crowd.reactor.now)
        pump()
    }

    func channelWritable(_ channel: Channel) { pump() }
    func channelClosed(_ channel: Channel, reason: CloseReason) {
        guard !isEstablished else { crowd.fail("\(reason)") }
        if let session { exchange.close(session, at: crowd.reactor.now) }
        session = nil
        _ = exchange.takeEvents()
        crowd.reactor.schedule(after: Self.redialDelay) { [unowned self] in dial(port: port) }
    }

    /// Carries out what came, sends what may be sent, writes what there is.
    func pump() {
        let now = crowd.reactor.now
        repeat {
            for event in exchange.takeEvents() {
                switch event {
                case .established:
                    isEstablished = true
                    crowd.established(self)
                case .ended(_, _, let error, _): crowd.fail("\(error)")
                case .meshMessage: break
                }
            }
            for effect in exchange.takeEffects() {
                switch effect {
                case .departed: outstanding -= 1
                case .deliver(let id):
                    exchange.forwarder.finished(id, at: now)
                    crowd.deliver()
                default: break
                }
            }
            originate(at: now)
            exchange.settle(at: now)
        } while exchange.hasWork
        write(at: now)
        timer?.arm(at: exchange.nextDeadline)
    }

    private func originate(at now: Instant) {
        guard crowd.isSending, !isSink else { return }
        let permitted = crowd.permits(outstanding: outstanding)
        outstanding += permitted
        envelope.withUnsafeBytes { bytes in
            for _ in 0..<permitted {
                exchange.forwarder.originate(
                    Forwarder.Origin(
                        destination: destination, lane: .live, length: bytes.count, lifetime: 3600, owner: 1, stored: 0),
                    bytes, at: now)
            }
        }
    }

    private func write(at now: Instant) {
        guard let session, let channel, channel.isOpen else { return }
        while exchange.hasOutput(session) {
            var (taken, offered) = (0, 0)
            exchange.write(session) { bytes in
                offered = bytes.count
                taken = channel.write(bytes)
                return taken
            }
            guard taken == offered else { return }
            exchange.drained(session, at: now)
        }
    }
}
