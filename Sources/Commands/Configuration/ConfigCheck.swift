import Node

/// `relayctl config check`
enum ConfigCheck {
    static let command = Command(
        name: ["config", "check"],
        summary: "check a node's configuration or a topology, and show every error with its place",
        details: "Needs no network. Ends with 4 where there are errors; warnings alone end with 0.",
        arguments: [Argument(name: "FILE", summary: "the file to check", repeats: true, completion: .file)],
        examples: [
            Example(line: "relayctl config check topology/two-zones.yaml", meaning: "a whole mesh"),
            Example(line: "relayctl config check mesh/plant-a-relay-1/node.yaml", meaning: "one node"),
        ],
        run: { invocation, terminal throws(Failure) in
            var lines: [String] = []
            var hint: String?
            for path in invocation.arguments {
                do throws(Failure) {
                    check(try ConfigurationText.either(path), path, terminal)
                } catch {
                    lines += error.lines
                    hint = error.hint ?? hint
                }
            }
            guard lines.isEmpty else { throw Failure(lines: lines, hint: hint, code: .badConfiguration) }
        })

    private static func check(_ kind: ConfigurationText.Kind, _ path: String, _ terminal: Terminal) {
        switch kind {
        case .node(let node):
            terminal.print("\(path): ok, the \(node.role) \(node.node)")
        case .topology(let topology):
            for warning in topology.warnings { terminal.talk("warning: \(Sanitised.line(warning.description))") }
            let counts = "\(topology.zones.count) zones, \(topology.nodes.count) nodes, \(topology.links.count) links"
            terminal.print("\(path): ok, the mesh '\(topology.name)': \(counts), \(topology.flows.count) flows")
        }
    }
}
