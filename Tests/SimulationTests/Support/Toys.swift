import Envelope
import Simulation
import Testing

func node(_ text: String) -> NodeName {
    guard let name = try? NodeName(text) else { preconditionFailure("not a name: \(text)") }
    return name
}

/// Two nodes; the first dials.
let pair = MeshTopology(
    nodes: [.init(node("a/one"), .agent), .init(node("b/two"), .relay)],
    links: [.init(from: node("a/one"), to: node("b/two"))])

extension Host {
    @discardableResult
    func write(_ id: ConnectionID, _ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { write(id, $0) } }
}

/// A program that does nothing by itself and keeps what it is told.
class Recorder: Program {
    let host: Host
    var ids: [ConnectionID] = []
    var bytes: [UInt8] = []
    var pieces: [Int] = []
    var closings = 0
    var failures: [DialFailure] = []
    var writableCalls = 0
    var finished: [UInt64] = []
    var times: [Instant] = []
    var nextDeadline = Instant.never

    init(_ host: Host) { self.host = host }

    func start() throws {}
    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) { ids.append(id) }
    func dialFailed(_ peer: NodeName, _ failure: DialFailure) { failures.append(failure) }
    func received(_ id: ConnectionID, _ new: UnsafeRawBufferPointer) {
        bytes += new
        pieces.append(new.count)
    }
    func writable(_ id: ConnectionID) { writableCalls += 1 }
    func closed(_ id: ConnectionID) { closings += 1 }
    func timeReached() {
        times.append(host.now)
        nextDeadline = .never
    }
    func operationFinished(_ token: UInt64) { finished.append(token) }
}

/// Two recorders and, once ``connect()`` was called, a connection between them.
final class Scene {
    let world: World
    init(seed: UInt64 = 1, _ change: (inout Dials) -> Void = { _ in }) {
        var dials = Dials.quiet
        change(&dials)
        world = World(seed: seed, dials: dials, topology: pair) { Recorder($0) }
        world.run(for: .seconds(2))
    }

    /// The process that is there now.
    func program(_ index: Int) -> Recorder {
        guard let program = world.hosts[index].program as? Recorder else { preconditionFailure("\(index) is down") }
        return program
    }

    var a: Recorder { program(0) }
    var b: Recorder { program(1) }

    func connect() throws {
        a.host.dial(b.host.name)
        world.run(for: .seconds(1))
        try #require(a.ids.count == 1 && a.ids == b.ids)
    }

    var id: ConnectionID { a.ids[0] }
}
