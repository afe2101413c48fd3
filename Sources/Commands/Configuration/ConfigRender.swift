import Envelope
import Node

/// `relayctl config render`
enum ConfigRender {
    private static let topology = Option(
        spellings: ["--topology"], value: .text(placeholder: "FILE"), summary: "the file that describes the mesh",
        isRequired: true, completion: .file)
    private static let node = Option(
        spellings: ["--node"], value: .text(placeholder: "ZONE/NAME"), summary: "only this node; may repeat",
        repeats: true)

    static let command = Command(
        name: ["config", "render"],
        summary: "make each node's directory from a topology: configuration, certificate, keys",
        details: """
            Makes DIR/ZONE-NAME for each node, ready to be copied to its machine, and DIR/authority with what must \
            stay off the nodes: the authority's key and the root key. What is there is kept; what has changed, \
            or is valid no longer, is made anew. So it may be run after every change.
            """,
        options: [topology, .out, node, .output],
        examples: [
            Example(
                line: "relayctl config render --topology topology/two-zones.yaml --out mesh",
                meaning: "a whole mesh in one step"),
            Example(line: "relayd --config mesh/plant-a-relay-1/node.yaml", meaning: "then run a node of it"),
        ],
        run: { invocation, terminal throws(Failure) in
            let file = try ConfigurationText.topology(invocation.required(topology))
            let renderer = try Renderer(invocation, terminal)
            for warning in file.warnings { terminal.talk("warning: \(Sanitised.line(warning.description))") }
            let names = try chosen(invocation, file)
            var mesh = try MeshDirectory(invocation.required(.out), file, now: terminal.now())
            for name in names { try mesh.prepare(name) }
            let report = mesh.report
            try renderer.show { () throws(Failure) in report.presentation }
        })

    private static func chosen(_ invocation: Invocation, _ file: TopologyFile) throws(Failure) -> [NodeName] {
        guard invocation.has(node) else { return file.nodes.map(\.name) }
        var names: [NodeName] = []
        for text in invocation.texts(node) {
            let name = try NodeName.argument(text)
            guard file[name] != nil else {
                throw Failure(
                    "\(file.file) has no node \(name)",
                    hint: Suggestion.hint(for: text, among: file.nodes.map(\.name.description)))
            }
            names.append(name)
        }
        return names
    }
}

/// What a rendering did to each file.
struct RenderReport: Encodable, Sendable {
    struct File: Encodable, Sendable {
        var path: String
        /// `made`, `changed` or `kept`.
        var action: String
    }

    var schema = 1
    var mesh: String
    var directory: String
    var files: [File] = []

    var presentation: Presentation {
        let lines = files.map { Line(padded($0.action), $0.action == "kept" ? .dim : .good) + Line($0.path) }
        return Presentation(self, sections: [.lines(lines)])
    }

    private func padded(_ action: String) -> String { action + String(repeating: " ", count: max(1, 9 - action.count)) }
}
