/// `relayctl demo run`
enum DemoRun {
    static let keep = Option(spellings: ["--keep"], summary: "leave the files of the demo: logs, input, output")

    static let command = Command(
        name: ["demo", "run"],
        summary: "show the whole: real rows through three zones, with links cut and a relay killed on the way",
        details: """
            Starts three relays and two agents on this machine, feeds a CSV file and an SQLite table in plant-a, cuts \
            and heals links, kills a relay with -9 and starts it again, and compares what plant-b has got with what \
            plant-a had. Takes about a minute, ends with 0 only when all is as promised, and cleans up.
            """,
        options: [DemoUp.directory, keep],
        examples: [
            Example(line: "relayctl demo run", meaning: "in ./.demo, which is gone afterwards"),
            Example(line: "relayctl demo run --dir /tmp/show --keep", meaning: "leave logs, input and output there"),
        ],
        run: { invocation, terminal throws(Failure) in
            Interrupt.hold()
            let place = try DemoUp.place(invocation)
            let sources = try DemoSources(searchPath: terminal.environment["PATH"] ?? "")
            let claim = try DemoUp.takeOver(place, for: .run)
            defer { withExtendedLifetime(claim) {} }
            let palette = Palette(choice: invocation.text(.colour), terminal)
            let report = try play(place, sources, terminal, palette)
            for line in report.lines { terminal.print(palette.paint(line)) }
            terminal.print("")
            try conclude(report, place, keeps: invocation.has(keep), terminal, palette)
        })

    /// The story, and the end of its processes however it ends.
    private static func play(
        _ place: DemoPlace, _ sources: DemoSources, _ terminal: Terminal, _ palette: Palette
    ) throws(Failure) -> DemoReport {
        do throws(Failure) {
            var story = try DemoStory(place, sources, terminal, palette)
            let report = try story.tell()
            DemoMesh.end(in: place)
            return report
        } catch {
            terminal.print("")
            DemoMesh.end(in: place)
            if Interrupt.isWanted {
                _ = place.remove()
                throw Failure("interrupted; all processes are ended and \(place.root) is removed")
            }
            if DirectoryTree.names(in: place.logs).isEmpty {
                // Nothing was started, so there is nothing to look at.
                _ = place.remove()
                throw error
            }
            throw Failure(
                lines: error.lines,
                hint: error.hint ?? "\(place.root) has the logs; the next demo, or 'relayctl demo down', removes them",
                code: error.code)
        }
    }

    private static func conclude(
        _ report: DemoReport, _ place: DemoPlace, keeps: Bool, _ terminal: Terminal, _ palette: Palette
    ) throws(Failure) {
        let complaints = report.complaints
        let left = MeshProcess.living(below: place.mesh).count
        guard complaints.isEmpty, left == 0 else {
            throw Failure(
                lines: complaints + (left == 0 ? [] : ["\(left) processes live on"]),
                hint: "\(place.root) has the logs; 'relayctl demo down' removes them", code: .failed)
        }
        terminal.print(palette.paint(Line("All is as promised.", .good)))
        if keeps {
            terminal.print("All processes are ended; \(place.root) stays until 'relayctl demo down'.")
        } else if place.remove() {
            terminal.print("All processes are ended, and \(place.root) is removed.")
        } else {
            terminal.print("All processes are ended; \(place.root) stays, since it holds other files.")
        }
    }
}
