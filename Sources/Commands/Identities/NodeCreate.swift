import Crypto
import Envelope

/// `relayctl node create`
enum NodeCreate {
    private static let days = Option.days(MeshAuthority.nodeDays)

    static let command = Command(
        name: ["node", "create"],
        summary: "make a node's key and certificate",
        details: "Makes key.pem (0600), certificate.pem and a copy of authority.pem in the directory (0700).",
        arguments: [Argument(name: "ZONE/NAME", summary: "the node's name, such as plant-a/relay")],
        options: [.authority, .out, days, .force, .output],
        examples: [
            Example(
                line: "relayctl node create plant-a/relay --ca ca --out plant-a-relay",
                meaning: "plant-a-relay/key.pem, certificate.pem and authority.pem")
        ],
        run: { invocation, terminal throws(Failure) in
            let name = try NodeName.argument(invocation.arguments[0])
            let renderer = try Renderer(invocation, terminal)
            let life = try invocation.number(days, in: 1...Authority.longestDays) ?? MeshAuthority.nodeDays
            let authority = try MeshAuthority(directory: invocation.required(.authority))
            let report = try authority.issue(
                to: name, NodeIdentityFiles(directory: invocation.required(.out)), days: life,
                replaces: invocation.has(.force),
                now: terminal.now())
            try renderer.show { () throws(Failure) in report.presentation }
        })
}

extension NodeName {
    /// A name from the command line.
    static func argument(_ text: String) throws(Failure) -> NodeName {
        do {
            return try NodeName(text)
        } catch {
            throw .usage(error.description)
        }
    }
}
