import Envelope

/// `relayctl demo down`
enum DemoDown {
    static let command = Command(
        name: ["demo", "down"],
        summary: "end a demo and remove what it made",
        details: """
            Asks the processes to stop, after 10 s ends them by force, and removes the demo's directory. Only \
            processes with a configuration in that directory are touched. Where there is no demo, there is nothing \
            to do, and that is no error.
            """,
        options: [DemoUp.directory, DemoRun.keep],
        examples: [
            Example(line: "relayctl demo down", meaning: "nothing is left behind"),
            Example(line: "relayctl demo down --keep", meaning: "end the processes, keep logs, input and output"),
        ],
        run: { invocation, terminal throws(Failure) in
            Interrupt.hold()
            let place = try DemoUp.place(invocation)
            guard LocalFile.exists(place.root), place.isDemo else {
                if LocalFile.exists(place.root) {
                    throw Failure("\(place.root) was not made by a demo", hint: "name the demo's directory by --dir")
                }
                terminal.talk("there is no demo in \(place.root)")
                return
            }
            let claim = try place.claim()
            defer { withExtendedLifetime(claim) {} }
            let living = MeshProcess.living(below: place.mesh)
            DemoMesh.end(in: place)
            guard MeshProcess.living(below: place.mesh).isEmpty else {
                throw Failure("some processes of the demo cannot be ended", hint: "are you their user?")
            }
            terminal.talk(
                living.count == 1 ? "1 process is ended" : "\(Quantity.count(UInt64(living.count))) processes are ended"
            )
            if invocation.has(DemoRun.keep) {
                terminal.talk("\(place.root) stays")
            } else if place.remove() {
                terminal.talk("\(place.root) is removed")
            } else {
                terminal.talk("\(place.root) stays, since it holds other files")
            }
        })
}
