import Envelope
import Journal

@testable import Simulation

/// Agents ask relays to count; a relay answers once its count is durable. What was answered must never be forgotten.
final class Ledger {
    /// The greatest count that a relay has answered, by its place.
    var answered: [UInt64]
    /// Answers each agent got.
    var answers: [Int]

    init(_ nodes: Int) {
        answered = [UInt64](repeating: 0, count: nodes)
        answers = [Int](repeating: 0, count: nodes)
    }
}

enum CountError: Error { case unreadable }

final class Counter: Program {
    enum Bug { case none, answersBeforeSynchronizing, forgetsDirectory }

    private let host: Host
    private let ledger: Ledger
    private let bug: Bug
    private var count: UInt64 = 0
    /// Where the next count is written.
    private var place = 0
    private var file: FileHandle?
    private var asking: [UInt64: ConnectionID] = [:]
    private var asked: UInt64 = 0
    let nextDeadline = Instant.never

    init(_ host: Host, _ ledger: Ledger, _ bug: Bug) {
        self.host = host
        self.ledger = ledger
        self.bug = bug
    }

    func start() throws {
        let isThere = try host.disk.attributes(of: "/count") != nil
        let file = try host.disk.open("/count", isThere ? .readWrite : .create(permissions: 0o600))
        self.file = file
        if bug != .forgetsDirectory { try host.disk.synchronizeDirectory("/") }
        for candidate in 0...1 { try readCount(candidate) }
        // After a failed synchronize the system may show what never got to the medium: it is written once more where
        // it was found, before the other place is given up.
        place = 1 - place
        try write(file)
        if bug != .answersBeforeSynchronizing { try host.disk.synchronize(file) }
        if count < ledger.answered[host.index] {
            host.fail("the count went back from \(ledger.answered[host.index]) to \(count)")
        }
    }

    /// Two places take turns, since a write that fails or is cut off leaves anything in its place. A count stands
    /// beside its complement, so that half of one is not taken for a count.
    private func write(_ file: FileHandle) throws(FileError) {
        let words = [count, ~count]
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        try host.disk.write(file, bytes, at: place * 512)
        place = 1 - place
    }

    private func readCount(_ candidate: Int) throws {
        guard let file else { return }
        let bytes = try host.disk.read(file, 16, at: candidate * 512)
        guard bytes.count == 16 else { return }
        let words = [bytes[..<8], bytes[8...]].map { $0.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) } }
        guard words[0] == ~words[1], words[0] > count else { return }
        // The next write goes to the other one.
        count = words[0]
        place = 1 - candidate
    }

    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) {}
    func dialFailed(_ peer: NodeName, _ failure: DialFailure) {}
    func writable(_ id: ConnectionID) {}
    func closed(_ id: ConnectionID) {}
    func timeReached() {}

    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
        guard let file else { return }
        count += UInt64(bytes.count)
        do throws(FileError) {
            try write(file)
            if bug != .answersBeforeSynchronizing { try host.disk.synchronize(file) }
        } catch {
            return host.exit()
        }
        asked += 1
        asking[asked] = id
        host.after(host.disk.takeLatency(), token: asked)
    }

    func operationFinished(_ token: UInt64) {
        guard let id = asking.removeValue(forKey: token) else { return }
        host.write(id, [1])
        ledger.answered[host.index] = max(ledger.answered[host.index], count)
    }
}

/// Asks one relay after the other, again and again.
final class Asker: Program {
    private let host: Host
    private let ledger: Ledger
    private let peers: [NodeName]
    private var turn = 0
    private var open: ConnectionID?
    private var nextQuestion = Instant.never
    private var patience = Instant.never
    private let pace: Duration

    init(_ host: Host, _ ledger: Ledger, _ peers: [NodeName], pace: Duration = .milliseconds(20)) {
        self.host = host
        self.ledger = ledger
        self.peers = peers
        self.pace = pace
    }

    var nextDeadline: Instant { min(nextQuestion, patience) }

    func start() { if !peers.isEmpty { redial() } }

    private func redial() {
        if let open { host.close(open) }
        open = nil
        nextQuestion = .never
        turn += 1
        host.dial(peers[turn % peers.count])
        patience = .never
    }

    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) {
        open = id
        ask()
    }

    private func ask() {
        guard let open else { return }
        host.write(open, [7, 7, 7, 7])
        nextQuestion = .never
        patience = host.now + .seconds(30)
    }

    func dialFailed(_ peer: NodeName, _ failure: DialFailure) {
        patience = host.now + host.random.duration(in: .milliseconds(100)...(.seconds(1)))
    }

    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
        guard id == open else { return }
        ledger.answers[host.index] += bytes.count
        nextQuestion = host.now + pace
        patience = .never
    }

    func writable(_ id: ConnectionID) {}
    func operationFinished(_ token: UInt64) {}

    func closed(_ id: ConnectionID) {
        guard id == open else { return }
        open = nil
        nextQuestion = .never
        patience = host.now + .milliseconds(200)
    }

    func timeReached() {
        if nextQuestion <= host.now { ask() } else { redial() }
    }
}

func countingWorld(_ scenario: Scenario, bug: Counter.Bug = .none, pace: Duration = .milliseconds(20)) -> World {
    let topology = scenario.topology
    let ledger = Ledger(topology.nodes.count)
    let world = scenario.world { host in
        if host.kind == .relay { return Counter(host, ledger, bug) }
        return Asker(host, ledger, topology.dialled(by: host.name), pace: pace)
    }
    world.mayHit = { _, kind in !kind.destroysDurableData }
    world.isSettled = {
        topology.nodes.indices.allSatisfy { topology.nodes[$0].kind == .relay || ledger.answers[$0] >= scenario.load }
    }
    return world
}

/// Damage of the medium breaks the counter, which has no defence against it.
func countingScenario(_ seed: UInt64, relays: Int = 3, agents: Int = 4, load: Int = 300) -> Scenario {
    var scenario = Scenario(seed: seed, relays: relays, agents: agents, load: load)
    scenario.switchedOff = [.misdirectedWrite]
    return scenario
}
