import Envelope

/// A whole mesh in one thread: machines, disks, clocks and the network between them, under a time of its own. One seed
/// and one commit give one exact run.
///
/// A run has two phases. In the safety phase faults happen as the dials say. Then all faults end: disks work, links
/// are whole, all nodes run, clocks are right; and the world must settle within ``Dials/drainTime``.
public final class World {
    public enum Phase: Sendable { case safety, healed }

    public let seed: UInt64
    public let dials: Dials
    public let topology: MeshTopology
    /// In the order of the topology's nodes.
    @exclusivity(unchecked) public private(set) var hosts: [Host] = []
    @exclusivity(unchecked) public internal(set) var phase = Phase.safety
    /// What went wrong first; the run ends with it.
    @exclusivity(unchecked) public private(set) var violation: Violation?
    /// There is one. Asked before every event: a violation is much to look at.
    @exclusivity(unchecked) private var isViolated = false
    var counts = FaultCounts()

    /// True once nothing is left to do. Asked now and then in the healed phase.
    public var isSettled: () -> Bool = { true }
    /// After every event.
    @exclusivity(unchecked) public var everyStep: (() -> Void)?
    /// After every 64th event.
    @exclusivity(unchecked) var nowAndThen: (() -> Void)?
    /// Before a process is let go: its program is there for the last time, and may have gone on in memory after the
    /// operation that was its last.
    public var beforeCrash: ((Host) -> Void)?
    /// Sees all bytes that a program writes to a connection or a disk.
    @exclusivity(unchecked) public var watch: ((Host, UnsafeRawBufferPointer) -> Void)?
    /// What ``Program/operationFinished(_:)`` is told when somebody with a medium comes to a node.
    public var visitToken: UInt64?
    /// All faults have ended, and nothing has happened since.
    public var afterHeal: (() -> Void)?
    /// Whether a fault that ends processes or destroys durable data may hit a host now.
    public var mayHit: (Host, FaultKind) -> Bool = { _, _ in true }
    /// The safety phase ends after so many steps, if not before.
    public var safetySteps = Int.max
    /// What a report says about how to run it again.
    public var command: String?
    /// What a report says about which commit ran; nothing else depends on it.
    public var commit: String?

    let makeProgram: (Host) -> any Program

    // What every event touches is not checked for overlapping access when it runs: that would cost as much again as
    // the event. There is one thread, and no verb of these values calls out.

    /// Nanoseconds since the world began.
    @exclusivity(unchecked) var time: Int64 = 0
    @exclusivity(unchecked) var queue = EventQueue()
    @exclusivity(unchecked) var trace = Trace()
    @exclusivity(unchecked) private(set) var steps = 0
    @exclusivity(unchecked) private var stepsAtThisTime = 0

    // The network.
    @exclusivity(unchecked) var directions: [Direction] = []
    /// Directions that leave a host, by its index.
    var ways: [[Int]] = []
    /// Two for each connection.
    @exclusivity(unchecked) var ends: [End] = []
    var freeSlots: [Int] = []
    /// Slots in use, in no order that means anything, and where each is in it.
    var liveSlots: [Int] = []
    var placeOfSlot: [Int] = []
    var connections: UInt64 = 0
    private let indexOfName: [NodeName: Int]
    let jitterNanoseconds: Int

    // Streams of chance.
    @exclusivity(unchecked) var networkRandom: SeededRandom
    var machineRandom: SeededRandom
    var faultRandom: [SeededRandom]

    /// - Parameter makeProgram: makes a host's process anew at each start.
    public init(seed: UInt64, dials: Dials, topology: MeshTopology, makeProgram: @escaping (Host) -> any Program) {
        self.seed = seed
        self.dials = dials
        self.topology = topology
        self.makeProgram = makeProgram
        jitterNanoseconds = Int(dials.jitter.wholeNanoseconds)
        let random = SeededRandom(seed: seed)
        networkRandom = random.fork("network")
        machineRandom = random.fork("machines")
        faultRandom = FaultKind.allCases.map { random.fork("\($0)") }
        var index: [NodeName: Int] = [:]
        for (place, node) in topology.nodes.enumerated() { index[node.name] = place }
        indexOfName = index
        for (place, node) in topology.nodes.enumerated() {
            let host = Host(
                node, index: place, world: self, random: random.fork("\(node.name)"), capacity: dials.diskBytes)
            host.isUp = false
            prepareDisk(host)
            hosts.append(host)
            let time = Int64(machineRandom.below(1_000_000_000))
            queue.push(Event(.start, at: time, node: place, stamp: host.process.number))
        }
        layLinks(random)
        scheduleFaults()
    }

    /// A host and its process hold each other: without this no world would ever be given back, and a thousand seeds
    /// would take the memory of a thousand meshes.
    deinit {
        for host in hosts { host.process = Process() }
    }

    /// True time since the world began.
    public var now: Instant { Instant(nanoseconds: time) }

    /// True time of day.
    public var wall: WallTime { WallTime(milliseconds: MachineClock.epoch + time / 1_000_000) }

    public func host(_ name: NodeName) -> Host? { indexOfName[name].map { hosts[$0] } }

    /// Something that must never be. The first one counts.
    public func fail(_ text: String, node: Int? = nil) {
        guard violation == nil else { return }
        violation = Violation(
            text: text, step: steps, time: .nanoseconds(time), node: node.map { hosts[$0].name })
        isViolated = true
        mark(.violated, node: node ?? 0)
    }

    // MARK: Running

    /// Runs both phases.
    public func run() -> Outcome {
        // What may be damaged was said after the world was made.
        for host in hosts { prepareDisk(host) }
        runSafety()
        if violation == nil { heal() }
        if violation == nil { drain() }
        return outcome
    }

    private func runSafety() {
        let end = dials.safetyTime.wholeNanoseconds
        while !isViolated, steps < safetySteps, queue.nextTime <= end { step() }
        if violation == nil, steps < safetySteps { time = max(time, end) }
    }

    /// Runs events until the healed world has settled.
    private func drain() {
        let end = time + dials.drainTime.wholeNanoseconds
        var nextCheck = time
        while !isViolated {
            if time >= nextCheck {
                if isSettled() { return }
                nextCheck = time + 50_000_000
            }
            if queue.isEmpty || queue.nextTime > end {
                if !isSettled() { fail("did not drain") }
                return
            }
            step()
        }
    }

    /// Runs the events of a span of time, whatever the phase.
    public func run(for span: Duration) {
        let end = time + span.wholeNanoseconds
        while !isViolated, queue.nextTime <= end { step() }
        if violation == nil { time = end }
    }

    /// The next event.
    func step() {
        guard let event = queue.pop() else { return }
        steps += 1
        if event.time > time {
            time = event.time
            stepsAtThisTime = 0
        } else {
            stepsAtThisTime += 1
            if stepsAtThisTime > 1_000_000 { fail("time stands still", node: Int(event.node)) }
        }
        trace.add(event)
        handle(event)
        everyStep?()
        if steps % 64 == 0 { nowAndThen?() }
    }

    /// Faults that happened so far, those of the disks among them.
    public var faults: FaultCounts {
        var all = counts
        for host in hosts { all.add(host.disk.counts) }
        return all
    }

    public var outcome: Outcome {
        Outcome(
            traceHash: trace.hash.value, steps: steps, virtualTime: .nanoseconds(time), violation: violation,
            faults: faults, report: violation.map { Report(self, $0).text })
    }
}
