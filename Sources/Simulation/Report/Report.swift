import Envelope

/// What a person needs of a run that went wrong: the seed, the commit, the step, the dials, a drawing of the last events,
/// and how to run it again.
struct Report {
    let text: String

    init(_ world: World, _ violation: Violation, events: Int = 60) {
        let counts = world.faults
        text = """
            violation with seed \(world.seed), commit \(world.commit ?? "not told"): \(violation)
            \(world.topology.nodes.count) nodes, \(world.topology.links.count) links
            faults that happened: \(counts.total == 0 ? "none" : counts.description)

            dials
            \(world.dials.description.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))

            the last events
            \(Drawing(world.trace.last(events, marks: events / 2), world.topology.nodes.map(\.name)).text)

            run it again: \(world.command ?? Self.command(world))

            """
    }

    private static func command(_ world: World) -> String {
        let relays = world.topology.nodes.count { $0.kind == .relay }
        let agents = world.topology.nodes.count - relays
        return "simulate --seed \(world.seed) --relays \(relays) --agents \(agents)"
    }
}
