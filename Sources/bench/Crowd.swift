import Crypto
import Envelope
import Glibc
import Link
import Mesh
import Platform

/// Many agents of one relay in one process, each with a certificate, a TLS session and an exchange of its own: what the
/// relay sees of five thousand agents, without five thousand processes. Nothing is sealed and nothing is on a disk, so
/// that the relay's work is what is seen.
///
/// With a count the agents send that many envelopes to `a/sink`, as fast as custody comes back; without they only stay.
/// Prints one JSON object when all sessions stand, and one when all has arrived.
final class Crowd {
    static let usage = "bench crowd DIRECTORY PORT AGENTS [COUNT BODY-BYTES]"
    /// Envelopes without custody, of all agents together.
    static let window = 8192
    /// Handshakes at once; a relay takes 64 from one address.
    private static let handshakes = 32

    let reactor: Reactor
    let relay: NodeName
    private(set) var isSending = false
    private let directory: String
    private let port: UInt16
    private let agents: Int
    private let count: Int
    private let bodyBytes: Int
    private var members: [Member] = []
    private var waiting: [String] = []
    private var established = 0
    private var sent = 0
    private var delivered = 0
    private let begun = Clock.now
    private var firstDelivery = Instant.zero

    /// - Returns: nil where the words are none of the usage.
    init?(_ words: [String]) {
        guard words.count == 3 || words.count == 5, let port = UInt16(words[1]), let agents = Int(words[2]), agents > 0,
            let relay = try? NodeName("a/relay"), let reactor = try? Reactor()
        else { return nil }
        (directory, self.port, self.agents, self.relay, self.reactor) = (words[0], port, agents, relay, reactor)
        let load = words.dropFirst(3).compactMap { Int($0) }
        (count, bodyBytes) = load.count == 2 ? (load[0], load[1]) : (0, 0)
        waiting = (0..<agents).map { "n\($0)" } + (count > 0 ? ["sink"] : [])
    }

    func run() {
        for _ in 0..<Self.handshakes { dialNext() }
        reactor.run()
    }

    private func dialNext() {
        guard let local = waiting.popLast() else { return }
        do {
            let member = try Member(self, local: local, directory: directory, body: bodyBytes)
            members.append(member)
            member.dial(port: port)
        } catch {
            fail("\(local): \(error)")
        }
    }

    func fail(_ text: String) -> Never {
        print(#"{"failed": "\#(text)"}"#)
        exit(1)
    }

    func established(_ member: Member) {
        established += 1
        dialNext()
        guard established == agents + (count > 0 ? 1 : 0) else { return }
        report(#""sessions": \#(established), "seconds": \#(seconds(since: begun))"#)
        guard count > 0 else { return }
        isSending = true
        for member in members { member.pump() }
    }

    /// How many more envelopes an agent may send that has so many without custody; each is counted as sent.
    func permits(outstanding: Int) -> Int {
        let permitted = max(0, min(max(1, Self.window / agents) - outstanding, count - sent))
        sent += permitted
        return permitted
    }

    func deliver() {
        if delivered == 0 { firstDelivery = reactor.now }
        delivered += 1
        guard delivered == count else { return }
        let taken = max(1e-6, seconds(since: firstDelivery))
        report(#""envelopes": \#(count), "seconds": \#(taken), "envelopesPerSecond": \#(Double(count - 1) / taken)"#)
        reactor.stop()
    }

    private func seconds(since start: Instant) -> Double {
        let (seconds, attoseconds) = (Clock.now - start).components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    private func report(_ members: String) {
        print("{\(members)}")
        fflush(nil)
    }
}
