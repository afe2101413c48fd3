import Envelope
import Keyring
import Node

/// `relayctl key create`
enum KeyCreate {
    private static let out = Option(
        spellings: ["--out"], value: .text(placeholder: "FILE"), summary: "the file to make", isRequired: true,
        completion: .file)
    private static let lifetime = Option(
        spellings: ["--lifetime"], value: .text(placeholder: "DAYS"),
        summary: "when a new key is due (default \(RootKey.lifetimeDays)); sealing ends after twice that")

    static let command = Command(
        name: ["key", "create"],
        summary: "make a root key, from which the agents' keys are made",
        details: """
            Whoever has the root key can read everything sealed under it: keep it off relays and agents. What an \
            agent gets is made from it with 'key grant'.
            """,
        options: [out, lifetime, .force, .output],
        examples: [Example(line: "relayctl key create --out keys/root.key", meaning: "a key for a year")],
        run: { invocation, terminal throws(Failure) in
            let path = try invocation.required(out)
            let renderer = try Renderer(invocation, terminal)
            let days = try invocation.number(lifetime, in: 1...RootKey.longestDays) ?? RootKey.lifetimeDays
            let root = try RootKey(
                newAt: path, days: days, replaces: invocation.has(.force), now: terminal.now())
            let report = KeyReport(
                key: root.record.id.description, generation: root.record.generation, due: root.record.life.softEnd,
                file: path)
            try renderer.show { () throws(Failure) in report.presentation }
            terminal.talk("keep \(path) off relays and agents and out of version control")
        })
}

/// What was made; never the key itself.
struct KeyReport: Encodable, Sendable {
    var schema = 1
    /// The key's identifier in hexadecimal.
    var key: String
    var generation: UInt64
    /// When a new key is due.
    var due: WallTime
    var file: String
    var holder: String?
    var peers: [String]?

    var presentation: Presentation {
        var lines = [
            Line("key \(key)") + Line("  generation \(generation), a new one is due \(due.rfc3339.prefix(10))")
        ]
        if let holder, let peers {
            lines.append(Line(holder, .strong) + Line(" may speak with: \(peers.joined(separator: ", "))"))
        }
        return Presentation(self, sections: [.lines(lines + [Line("made \(file)")])])
    }
}
