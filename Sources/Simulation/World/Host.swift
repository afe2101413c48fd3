import Envelope

/// A machine of the world, and all that a ``Program`` on it sees: its clocks, disk, network and source of chance.
///
/// After its process has been killed inside a call, the rest of the call has no effect.
public final class Host {
    public let name: NodeName
    public let kind: NodeKind
    public let disk: SimulatedDisk
    public var random: SeededRandom
    /// New at each boot of the machine, kept over a mere restart of the process.
    public internal(set) var boot: Bytes16
    /// Place among the topology's nodes.
    public let index: Int

    unowned(unsafe) let world: World
    let fuse: Fuse
    @exclusivity(unchecked) var clock: MachineClock
    @exclusivity(unchecked) var process = Process()
    /// The machine has power.
    var isUp = true
    /// An operation on the host lit by a power loss takes the machine with it.
    var endsWithPowerLoss = false
    /// So many coming processes of it soon lose their disk.
    var forgetsAgain = (kind: FaultKind.wiped, times: 0)
    /// Counts boots, so that events of an earlier one are void.
    var boots: UInt32 = 0
    /// What the journal of its processes has said.
    private var stores: StoreModel?
    /// Ends of connections that the process has, by their place in the network.
    var ends: [Int] = []

    init(_ node: MeshTopology.Node, index: Int, world: World, random: SeededRandom, capacity: Int) {
        name = node.name
        kind = node.kind
        self.index = index
        self.world = world
        self.random = random.fork("program")
        fuse = Fuse()
        disk = SimulatedDisk(random.fork("disk"), fuse, capacity: capacity)
        boot = Bytes16(low: 0, high: 0)
        clock = MachineClock(at: 0, monotonic: 0, drift: 0)
    }

    // MARK: Clocks

    /// Monotonic since the machine's boot, from a start that means nothing; it drifts.
    public var now: Instant { clock.now(world.time) }
    /// What the machine takes for the time of day. It may be wrong, drift and step.
    public var wall: WallTime { clock.wall(world.time) }

    // MARK: Network

    /// ``Program/connected(_:to:dialled:)`` or ``Program/dialFailed(_:_:)`` follows, unless the process ends before.
    public func dial(_ peer: NodeName) {
        if fuse.burn() { return }
        world.dial(self, peer)
    }

    /// - Returns: the bytes taken, up to what the connection's window has room for; ``Program/writable(_:)`` follows
    ///   where it was less than all. A connection that is gone takes all and does nothing.
    public func write(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) -> Int {
        if fuse.burn() { return bytes.count }
        let taken = world.write(self, id, bytes)
        // What is not taken comes again, whole; a look at all of it each time would take minutes. What begins in what
        // is taken is seen to its end.
        world.watch?(self, UnsafeRawBufferPointer(rebasing: bytes.prefix(taken + SecretWatch.longest)))
        return taken
    }

    /// The peer gets what was written, then `flushing`, and then notices the end. Here it is over at once.
    public func close(_ id: ConnectionID, flushing: [UInt8] = []) {
        if fuse.burn() { return }
        world.close(self, id, flushing)
    }

    // MARK: Process

    /// The process was killed inside the call that is being made.
    var isGone: Bool { fuse.hasBurnt }

    /// Calls ``Program/operationFinished(_:)`` after this time by the machine's clock: stands for a disk, a sink or
    /// another machine that takes its time. Forgotten when the process ends.
    public func after(_ duration: Duration, token: UInt64) {
        if fuse.burn() { return }
        let time = max(world.time, clock.time(of: now + duration))
        world.queue.push(Event(.operation, at: time, node: index, value: token, stamp: process.number))
    }

    /// The process ends by itself after this call, and is started again later.
    public func exit() { fuse.end() }

    // MARK: Reports

    /// - Parameter front: see ``StoreModel``; the same for all processes of a machine.
    func storeModel(front: Int) -> StoreModel {
        if let stores { return stores }
        let made = StoreModel(front: front)
        stores = made
        return made
    }

    /// Notes something in the trace hash and among the last events.
    public func trace(_ label: StaticString, _ a: UInt64 = 0, _ b: UInt64 = 0) {
        if fuse.hasBurnt { return }
        let place = Int16(index)
        world.trace.add(
            Trace.Entry(
                time: world.time, step: world.steps, node: place, peer: place, a: a, b: b, label: label))
    }

    /// Something that must never be. The run ends with a report.
    public func fail(_ text: String) { world.fail(text, node: index) }

    /// A process is there and has been started.
    public var isRunning: Bool { process.program != nil }
    public var isPaused: Bool { process.isPaused }
    public var program: (any Program)? { process.program }
}

/// What ends with a process.
struct Process {
    var program: (any Program)?
    /// Counts the processes of a machine, so that events of an earlier one are void.
    var number: UInt32 = 0
    var isPaused = false
    /// Events that came while it was paused.
    var backlog: [Event] = []
    /// True time of the program's deadline.
    var deadline = Int64.max
    /// The deadline as the program told it.
    var told = Instant.never
    /// Time of the earliest timer event in the queue that still counts.
    var timer = Int64.max
}
