import Node

/// `relayctl demo up`
enum DemoUp {
    static let directory = Option(
        spellings: ["--dir"], value: .text(placeholder: "DIR"),
        summary: "where the demo works (default ./\(DemoPlace.standard))", completion: .directory)

    static let command = Command(
        name: ["demo", "up"],
        summary: "start a mesh of three zones on this machine, with real rows flowing, and leave it running",
        details: """
            Makes DIR with certificates, keys, configurations and input, starts the relayd and agentd found beside \
            relayctl (or in PATH), and waits until they are ready. 'relayctl demo down' takes all of it away.
            """,
        options: [directory],
        examples: [
            Example(line: "relayctl demo up", meaning: "start it"),
            Example(line: "relayctl topology --node .demo/mesh/dmz-relay-1 --watch", meaning: "then look around"),
        ],
        run: { invocation, terminal throws(Failure) in
            Interrupt.hold()
            let place = try place(invocation)
            let sources = try DemoSources(searchPath: terminal.environment["PATH"] ?? "")
            let claim = try takeOver(place, for: .up)
            defer { withExtendedLifetime(claim) {} }
            do throws(Failure) {
                try prepare(place, sources)
                let mesh = try DemoMesh(place)
                try mesh.requirePorts()
                try mesh.render(now: terminal.now())
                try mesh.startAll(from: sources) { member, identifier in
                    terminal.talk("\(member.name) is ready, pid \(identifier)")
                }
            } catch {
                DemoMesh.end(in: place)
                _ = place.remove()
                throw error
            }
            terminal.print(invitation(place, invocation.text(directory)))
        })

    static func place(_ invocation: Invocation) throws(Failure) -> DemoPlace {
        try DemoPlace(invocation.text(directory) ?? DemoPlace.standard)
    }

    /// Takes the directory; what a demo that crashed has left there, processes too, is cleaned away.
    /// - Throws: ``Failure`` where a demo is up there.
    static func takeOver(_ place: DemoPlace, for purpose: DemoPlace.Purpose) throws(Failure) -> Claim {
        let claim = try place.claim()
        let isUp = place.purpose == .up && !MeshProcess.living(below: place.mesh).isEmpty
        guard !isUp else {
            let directory = "--dir \(place.root)"
            throw Failure(
                "a demo is up already in \(place.root)",
                hint: "'relayctl demo status \(directory)' shows it, 'relayctl demo down \(directory)' ends it")
        }
        DemoMesh.end(in: place)
        place.clear()
        try place.note(purpose)
        return claim
    }

    private static func prepare(_ place: DemoPlace, _ sources: DemoSources) throws(Failure) {
        try LocalFile.makeDirectory(place.input)
        let text = try LocalFile.read(sources.topology, limit: 1 << 20)
        try LocalFile.write(text, to: place.topology, mode: 0o600, replaces: true)
        var input = try DemoInput(place, sources)
        try input.create()
        try input.feed(to: 1)
        try input.endLine()
    }

    private static func invitation(_ place: DemoPlace, _ given: String?) -> String {
        let root = given ?? DemoPlace.standard
        let option = given.map { " --dir \($0)" } ?? ""
        return """

            The demo is up in \(place.root). Look around:

              relayctl demo status\(option)
              relayctl topology --node \(root)/mesh/dmz-relay-1 --watch
              relayctl node status --node \(root)/mesh/plant-a-agent-1
              relayctl queue list --node \(root)/mesh/plant-a-relay-1
              tail -f \(root)/output/temperature.csv
              echo '2011/01/01 00:00,40.1' >> \(root)/input/seattle-temps.csv

            And when you have seen it:

              relayctl demo down\(option)
            """
    }
}
