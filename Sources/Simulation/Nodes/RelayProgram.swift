import Envelope
import Journal
import Link
import Mesh
import RelayCore

/// A relay's process: the machine that `relayd` runs, over the simulated network, disk and clocks.
final class RelayProgram: Program {
    static let directory = "/relay"

    let host: Host
    var memoryBytes: Int { settings.memoryBytes }
    private let settings: RelaySettings
    private let dials: [NodeName]
    private let flows: [FlowDeclaration]
    private let mesh: MeshModel
    private let carrier: Carrier
    /// Counts the looks of the oracle.
    var looks = 0
    /// What ``MeshModel`` has heard last of what the relay holds of others.
    private var versionHeard: UInt64 = 0
    /// As of the machine's last call.
    @exclusivity(unchecked) private var machineDeadline = Instant.never
    // Not checked for overlapping access when it runs, as `World` says.
    @exclusivity(unchecked) private(set) var machine: RelayMachine<SimulatedTrust>?
    @exclusivity(unchecked) private(set) var links: LinkShell?
    @exclusivity(unchecked) private(set) var journal: JournalShell?

    init(
        _ host: Host, _ settings: RelaySettings, dials: [NodeName], flows: [FlowDeclaration], _ mesh: MeshModel,
        _ carrier: Carrier
    ) {
        self.host = host
        self.settings = settings
        self.dials = dials
        self.flows = flows
        self.mesh = mesh
        self.carrier = carrier
    }

    func start() throws {
        let counter = BootCounter(host.disk, directory: Self.directory)
        if try host.disk.attributes(of: Self.directory) == nil {
            try host.disk.createDirectory(Self.directory, permissions: 0o700)
        }
        // As `Platform.Files` does it: a start that was killed may have made it and not made that durable.
        try host.disk.synchronizeDirectory("/")
        let boot = try counter.next()
        mesh.started(as: boot, at: host)
        let machine = RelayMachine(
            local: host.name, boot: boot, machineBoot: host.boot,
            flows: try FlowTable(flows, identify: { Identity.id(of: $0) }), trust: SimulatedTrust(name: host.name),
            wall: host.wall, at: host.now, identify: { Identity.id(of: $0) })
        let configuration = Forwarder.Configuration(
            memoryBytes: settings.memoryBytes, durability: settings.durability, history: settings.history,
            hasStore: true)
        var forwarder = machine.makeForwarder(configuration)
        forwarder.setQuotas(lanes: [:], source: settings.sourceQuota)
        let exchange = Exchange(node: host.name, kind: .relay, software: "simulated", forwarder: forwarder)
        self.machine = consume machine
        let links = LinkShell(host, exchange, dials: dials, identify: { Identity.id(of: $0) })
        links.owner = self
        self.links = links
        let options = RelayMachine<SimulatedTrust>.logOptions(
            segmentBytes: settings.segmentBytes, maxBytes: settings.storeBytes, entropy: host.random.next())
        journal = try JournalShell(host, directory: Self.directory + "/journal", options) { record in
            _ = self.machine?.recover(record, &links.exchange, at: host.now)
        }
        machineDo { machine, exchange in
            machine.describeSelf(softwareVersion: "simulated", listenPorts: [], &exchange, at: host.now)
        }
        links.timeReached()
    }

    func machineDo(_ body: (inout RelayMachine<SimulatedTrust>, inout Exchange) -> Void) {
        guard let links, machine != nil else { return }
        body(&machine!, &links.exchange)
        machineDeadline = machine?.nextDeadline ?? .never
        for fact in machine!.takeFacts() { note(fact) }
    }

    private func note(_ fact: RelayFact) {
        switch fact {
        case .bootRaised(let boot):
            try? BootCounter(host.disk, directory: Self.directory).save(boot)
            host.trace("boot raised", boot)
        case .storeStalled: host.trace("store stalled")
        case .storeResumed: host.trace("store resumed")
        case .storeRefused: host.trace("store refused")
        case .readDelayed(let lsn, _): host.trace("read delayed", lsn.number)
        case .readFailed(let lsn, _): host.trace("read failed", lsn.number)
        case .expired: host.fail("an envelope expired, though its life is longer than the run")
        case .damagedArrival: host.fail("an arrival is no envelope, though nothing damages what is under way")
        case .unreadableRecord(let lsn): host.trace("unreadable record", lsn.number)
        case .carried(let ticket, let error): host.trace("carried", ticket, error == nil ? 1 : 0)
        case .copied(_, _, let copy): carrier.put(copy)
        case .alarm(let alarm): alarmed(alarm)
        case .badMessage(let peer, let error): host.fail("\(peer) sent a message that is none: \(error)")
        }
    }

    private func alarmed(_ alarm: RouterAlarm) {
        switch alarm {
        case .ownHigherAdvertisement: host.trace("own higher advertisement")
        case .equivocation(let origin, let stamp, let peer):
            // A relay whose disk was taken away counts its starts from the beginning, until the mesh tells it.
            guard !settings.disksForget else { return host.trace("equivocation", stamp.boot, stamp.sequence) }
            host.fail("\(origin) told two things as \(stamp), by \(peer)")
        case .badSignature(let origin, let peer):
            host.fail("an advertisement of \(origin) by \(peer) is not genuine")
        case .tooManyRelays, .tooManyLinks, .advertisementFull: host.fail("a small mesh is too large: \(alarm)")
        }
    }

    /// What the relay holds of others, rising by origin.
    var believed: [Advertisement] { machine?.router.database.advertisements ?? [] }

    func route(to node: NodeID) -> Route { machine?.router.route(to: node) ?? .unknown }

    // MARK: Calls

    func connected(_ id: ConnectionID, to peer: NodeName, dialled: Bool) {
        links?.connected(id, to: peer, dialled: dialled)
    }

    func dialFailed(_ peer: NodeName, _ failure: DialFailure) { links?.dialFailed(peer) }
    func received(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) { links?.received(id, bytes) }
    func writable(_ id: ConnectionID) { links?.writable(id) }
    func closed(_ id: ConnectionID) { links?.closed(id) }

    func timeReached() {
        if machineDeadline <= host.now {
            let usage = journal?.usage ?? LogUsage()
            machineDo { machine, exchange in
                machine.timeReached(host.now, wall: host.wall, usage: usage, &exchange)
            }
        }
        links?.timeReached()
    }

    var nextDeadline: Instant { min(machineDeadline, links?.nextDeadline ?? .never) }

    func operationFinished(_ token: UInt64) {
        if token == Carrier.token { return visit(carrier) }
        guard let journal else { return }
        let completions = journal.finished()
        if !completions.isEmpty {
            machineDo { machine, exchange in machine.complete(completions, &exchange, at: host.now) }
            links?.finishTurn()
        }
        journal.goOn()
    }
}

extension RelayProgram: LinkShellOwner {
    func linkUp(_ link: LinkIndex, _ peer: NodeName, _ kind: NodeKind, dialledByUs: Bool) {
        mesh.linkChanged(host.world)
        machineDo { machine, exchange in
            machine.linkUp(link, peer, kind, cost: 10, dialledByUs: dialledByUs, &exchange, at: host.now)
        }
    }

    func linkDown(_ peer: NodeName) {
        mesh.linkChanged(host.world)
        machineDo { machine, exchange in machine.linkDown(peer, &exchange, at: host.now) }
    }

    func meshMessage(_ message: [UInt8], from peer: NodeName) {
        machineDo { machine, exchange in machine.receive(message, from: peer, &exchange, at: host.now) }
        guard !host.isGone, let version = machine?.router.database.version, version != versionHeard else { return }
        versionHeard = version
        mesh.heard(believed, at: host)
    }

    func perform(_ effects: [Effect]) {
        journal?.submit { batch in
            machineDo { machine, exchange in machine.perform(effects, &exchange, &batch, at: host.now) }
        }
    }
}
