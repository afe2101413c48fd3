import Admin
import Crypto
import Envelope
import Glibc
import Node

/// What `demo run` does: real rows flow while links are cut and a relay is killed; then everything is counted.
struct DemoStory {
    /// The lines from plant-a and from plant-b to the relay in the middle, which end with the story.
    final class Lines: Sendable {
        let near: Forwarder
        let far: Forwarder

        init(to port: UInt16) throws(Failure) {
            near = try Forwarder(to: port)
            do throws(Failure) { far = try Forwarder(to: port) } catch {
                near.stop()
                throw error
            }
        }

        deinit {
            near.stop()
            far.stop()
        }
    }

    let place: DemoPlace
    let sources: DemoSources
    let terminal: Terminal
    let mesh: DemoMesh
    let lines: Lines
    let search: PlaintextSearch
    var narrator: Narrator
    var input: DemoInput
    var blindness = DemoReport.Blindness()
    var disturbance = DemoReport.Disturbance()
    /// The share of all rows that has been fed.
    var share = 0.0
    let clock = ContinuousClock()

    /// Rows as they stand in the file, dates that are keys, and words and column names of the table.
    static let markers = [
        "2010/01/02 03:00,", "2010/03/14 09:00,", "2010/05/0", "2010/07/04 1", "2010/09/1", "temp_max", "precipitation",
        "drizzle",
    ]

    init(_ place: DemoPlace, _ sources: DemoSources, _ terminal: Terminal, _ palette: Palette) throws(Failure) {
        (self.place, self.sources, self.terminal) = (place, sources, terminal)
        narrator = Narrator(terminal, palette)
        search = PlaintextSearch(Self.markers)
        let original = try ConfigurationText.topology(sources.topology)
        lines = try Lines(to: try DemoTopology.port(of: DemoMesh.middle, in: original))
        let text = String(decoding: try LocalFile.read(sources.topology, limit: 1 << 20), as: UTF8.self)
        let detours = [(DemoMesh.near, lines.near), (DemoMesh.far, lines.far)].map {
            DemoTopology.Detour(from: $0.0, to: DemoMesh.middle, port: $0.1.port)
        }
        let adapted = try DemoTopology.adapt(text, detours: detours, plain: true)
        try LocalFile.write(Array(adapted.utf8), to: place.topology, mode: 0o600, replaces: true)
        try LocalFile.makeDirectory(place.input)
        input = try DemoInput(place, sources)
        try input.create()
        mesh = try DemoMesh(place)
    }

    mutating func tell() throws(Failure) -> DemoReport {
        narrator.say(Line("GridRelay demo: plant-a → dmz → plant-b on this machine, in \(place.root)", .strong))
        try start()
        try flowFreely()
        try cutNear()
        try hangFarAndKill()
        try finish()
        return try report()
    }

    /// Feeds rows at an even pace, and shows what comes of it.
    /// - Parameter node: whose queue is shown.
    mutating func flow(to share: Double, over duration: Duration, waitingIn node: String?) throws(Failure) {
        let (begin, first) = (clock.now, self.share)
        while clock.now - begin < duration {
            try input.feed(to: first + (share - first) * ((clock.now - begin) / duration))
            try look(node)
            try Interrupt.pause(.milliseconds(200))
        }
        try input.feed(to: share)
        self.share = share
    }

    /// Waits until all that was fed has arrived.
    mutating func awaitDelivery(waitingIn node: String?) throws(Failure) {
        let deadline = clock.now + .seconds(60)
        while true {
            let observation = try look(node)
            let isDelivered =
                observation.temperaturesDelivered >= input.temperatures.fed
                && observation.weatherDelivered >= input.weather.fed && observation.unreceipted == 0
            if isDelivered { return }
            guard clock.now < deadline else {
                throw Failure(
                    "of \(input.temperatures.fed) and \(input.weather.fed) rows \(observation.temperaturesDelivered) "
                        + "and \(observation.weatherDelivered) are delivered after 60 s",
                    hint: "the logs are in \(place.logs)")
            }
            try Interrupt.pause(.milliseconds(200))
        }
    }

    @discardableResult
    mutating func look(_ node: String?) throws(Failure) -> DemoObservation {
        let observation = try DemoObservation(mesh)
        var line = observation.line
        if node == DemoMesh.middle {
            line += Line("   \(DemoMesh.middle) stores \(try storedInMiddle().map(Quantity.count) ?? "-")")
        } else if let node, let waiting = try mesh.waiting(in: node) {
            line += Line("   \(node) keeps ") + Line(Quantity.count(waiting), waiting > 0 ? .warning : .good)
            if node == DemoMesh.near { disturbance.waited = max(disturbance.waited, waiting) }
        }
        narrator.progress(line)
        return observation
    }
}
