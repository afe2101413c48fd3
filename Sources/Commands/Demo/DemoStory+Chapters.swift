import Admin
import Crypto
import Envelope
import Glibc
import Node

extension DemoStory {
    mutating func start() throws(Failure) {
        narrator.chapter("1  Start three relays and two agents")
        try mesh.requirePorts()
        try mesh.render(now: terminal.now())
        var ready: [Line] = []
        try mesh.startAll(from: sources) { member, identifier in
            let name = member.name + String(repeating: " ", count: max(1, 18 - member.name.count))
            ready.append(Line("   \(name)pid \(identifier)  ") + Line("ready", .good))
        }
        for line in ready { narrator.say(line) }
        narrator.say(Line("   all \(mesh.topology.links.count) links are up; both plants dial out, nobody dials in"))
    }

    mutating func flowFreely() throws(Failure) {
        narrator.chapter("2  Rows of a CSV file + rows of an SQLite table flow from plant-a to plant-b")
        try flow(to: 0.3, over: .seconds(5), waitingIn: nil)
        try awaitDelivery(waitingIn: nil)
        if let process = try process(of: DemoMesh.source) {
            blindness.control = search.look(atMemoryOf: process)
            blindness.keyControl = try keySearch().look(atMemoryOf: process)
        }
        try lookIntoMiddle()
        narrator.say(Line("   arrived: \(fed)", .good))
    }

    mutating func cutNear() throws(Failure) {
        narrator.chapter("3  The link from plant-a to the dmz is cut")
        lines.near.cut()
        try flow(to: 0.5, over: .seconds(8), waitingIn: DemoMesh.near)
        narrator.say(Line("   \(Quantity.count(disturbance.waited)) envelopes wait in plant-a/relay-1; the link heals"))
        let healed = clock.now
        lines.near.heal()
        try awaitDelivery(waitingIn: DemoMesh.near)
        narrator.say(Line("   arrived: \(fed), \(seconds(since: healed)) later", .good))
    }

    mutating func hangFarAndKill() throws(Failure) {
        narrator.chapter("4  The link from the dmz to plant-b hangs, and the relay in the dmz is killed with -9")
        lines.far.hang()
        try flow(to: 0.7, over: .seconds(5), waitingIn: DemoMesh.middle)
        let member = try mesh[DemoMesh.middle]
        try lookIntoMiddle()
        disturbance.storedBefore = try storedInMiddle() ?? 0
        guard let victim = mesh.living.first(where: { $0.configuration == member.configuration }) else {
            throw mesh.died(member)
        }
        victim.signal(SIGKILL)
        guard victim.hasEnded(within: .seconds(10)) else { throw Failure("\(member.name) survived kill -9") }
        narrator.say(
            Line("   pid \(victim.identifier) is dead; ")
                + Line("\(Quantity.count(disturbance.storedBefore)) sealed envelopes lie in its store"))
        try flow(to: 0.8, over: .seconds(3), waitingIn: DemoMesh.near)
        let identifier = try mesh.start(member, from: sources)
        try mesh.awaitReadiness(of: member, identifier, patience: .seconds(20))
        disturbance.storedAfter = try storedInMiddle() ?? 0
        narrator.say(
            Line("   started again as pid \(identifier), ")
                + Line("with \(Quantity.count(disturbance.storedAfter)) envelopes in its store; the link works again"))
        let healed = clock.now
        lines.far.heal()
        try awaitDelivery(waitingIn: DemoMesh.middle)
        narrator.say(Line("   arrived: \(fed), \(seconds(since: healed)) later", .good))
    }

    mutating func finish() throws(Failure) {
        narrator.chapter("5  The rest of the rows")
        try flow(to: 1, over: .seconds(4), waitingIn: nil)
        try awaitDelivery(waitingIn: nil)
        try lookIntoMiddle()
        narrator.say(Line("   arrived: \(fed)", .good))
        let member = try mesh[DemoMesh.middle]
        let topology = try Connection.ask { () throws(ClientError) in try member.client.topology() }
        narrator.chapter("6  The mesh as the relay in the dmz sees it")
        for line in Topology.presentation(of: topology, on: terminal).lines { narrator.say(line) }
        narrator.say(Line())
    }

    private var fed: String {
        "\(Quantity.count(UInt64(input.temperatures.fed))) rows of the file, "
            + "\(Quantity.count(UInt64(input.weather.fed))) of the table"
    }

    private func seconds(since moment: ContinuousClock.Instant) -> String {
        Quantity.age(seconds: (clock.now - moment) / .seconds(1))
    }

    private func process(of name: String) throws(Failure) -> pid_t? {
        let member = try mesh[name]
        return mesh.living.first { $0.configuration == member.configuration }?.identifier
    }

    /// Envelopes in the relay's store; nil where it does not answer.
    func storedInMiddle() throws(Failure) -> UInt64? {
        let member = try mesh[DemoMesh.middle]
        return (try? member.client.status())?.store.envelopes
    }

    /// What only the two agents may have.
    private func keySearch() throws(Failure) -> PlaintextSearch {
        let grant = try mesh[DemoMesh.source].directory + "/keys.grant"
        return PlaintextSearch(secretsOf: try LocalFile.read(grant, limit: 1 << 20))
    }

    /// Memory and store of the relay in the middle as they are now.
    private mutating func lookIntoMiddle() throws(Failure) {
        let member = try mesh[DemoMesh.middle]
        if let process = try process(of: DemoMesh.middle), let finding = search.look(atMemoryOf: process) {
            blindness.memory = (blindness.memory ?? .init()) + finding
            if let keys = try keySearch().look(atMemoryOf: process) {
                blindness.keys = (blindness.keys ?? .init()) + keys
            }
        }
        blindness.journal =
            blindness.journal + search.look(atFiles: DirectoryTree.files(below: member.directory + "/store"))
    }
}

extension Presentation {
    /// As a table, without a renderer's choices.
    var lines: [Line] {
        sections.flatMap { section in
            switch section {
            case .lines(let lines): lines
            case .table(let table): table.lines(wide: false, headers: true)
            }
        }
    }
}
