import Envelope
import Keyring
import Node

/// `relayctl key grant`
enum KeyGrantCreate {
    private static let root = Option(
        spellings: ["--root"], value: .text(placeholder: "FILE"), summary: "the root key, made by 'key create'",
        isRequired: true, completion: .file)
    private static let out = Option(
        spellings: ["--out"], value: .text(placeholder: "FILE"), summary: "the grant to make", isRequired: true,
        completion: .file)
    private static let topology = Option(
        spellings: ["--topology"], value: .text(placeholder: "FILE"),
        summary: "the peers are the agents that a flow of this file lets speak with it", completion: .file)
    private static let peer = Option(
        spellings: ["--peer"], value: .text(placeholder: "ZONE/NAME"), summary: "an agent it may speak with",
        repeats: true)

    static let command = Command(
        name: ["key", "grant"],
        summary: "make the keys of one agent for its own peers",
        details: "The file holds the keys for the agent's own conversations and for no others. Agents only.",
        arguments: [Argument(name: "ZONE/NAME", summary: "the agent")],
        options: [root, out, topology, peer, .force, .output],
        examples: [
            Example(
                line: "relayctl key grant plant-a/agent --root keys/root.key --peer plant-b/agent --out keys.grant",
                meaning: "for one peer"),
            Example(
                line: "relayctl key grant plant-a/agent --root keys/root.key --topology mesh.yaml --out keys.grant",
                meaning: "for all that the flows allow"),
        ],
        run: { invocation, terminal throws(Failure) in
            let holder = try NodeName.argument(invocation.arguments[0])
            let renderer = try Renderer(invocation, terminal)
            let peers = try peers(of: holder, invocation)
            let root = try RootKey(path: invocation.required(root))
            let path = try invocation.required(out)
            let grant = try root.grant(to: holder, peers: peers, path: path, replaces: invocation.has(.force))
            let report = KeyReport(
                key: grant.id.description, generation: grant.generation, due: grant.life.softEnd, file: path,
                holder: holder.description, peers: grant.peers.map(\.description))
            try renderer.show { () throws(Failure) in report.presentation }
        })

    private static func peers(of holder: NodeName, _ invocation: Invocation) throws(Failure) -> [NodeName] {
        guard invocation.has(topology) != invocation.has(peer) else {
            throw .usage("whom may it speak with?", hint: "give either --topology FILE or one --peer for each agent")
        }
        guard let path = invocation.text(topology) else {
            var peers: [NodeName] = []
            for text in invocation.texts(peer) { peers.append(try NodeName.argument(text)) }
            guard !peers.contains(holder) else { throw .usage("\(holder) is named as its own peer") }
            return peers
        }
        let file = try ConfigurationText.topology(path)
        guard file[holder]?.role == .agent else {
            throw Failure("\(path) has no agent \(holder)", code: .badConfiguration)
        }
        let peers = file.peers(of: holder)
        guard !peers.isEmpty else {
            throw Failure(
                "no flow in \(path) lets \(holder) speak with another agent", hint: "add a flow from or to it",
                code: .badConfiguration)
        }
        return peers
    }
}
