import Crypto
import Envelope

/// `relayctl ca create`
enum AuthorityCreate {
    private static let days = Option.days(MeshAuthority.authorityDays)

    static let command = Command(
        name: ["ca", "create"],
        summary: "make the authority that a mesh trusts",
        details: """
            Makes authority-key.pem (0600), which signs the nodes of the mesh and stays off them, and authority.pem, \
            which every node trusts. Whoever has the key can be any node: keep it where few come, with a copy.
            """,
        options: [.out, days, .force, .output],
        examples: [Example(line: "relayctl ca create --out ca", meaning: "ca/authority-key.pem and ca/authority.pem")],
        run: { invocation, terminal throws(Failure) in
            let directory = try invocation.required(.out)
            let renderer = try Renderer(invocation, terminal)
            let life = try invocation.number(days, in: 1...Authority.longestDays) ?? MeshAuthority.authorityDays
            let made = try MeshAuthority(
                newIn: directory, days: life, replaces: invocation.has(.force), now: terminal.now())
            let certificate = made.authority.certificate
            let report = IdentityReport(
                name: certificate.subject, notAfter: certificate.notAfter,
                fingerprint: Hexadecimal.encode(certificate.fingerprint),
                files: [MeshAuthority.keyFile, MeshAuthority.certificateFile].map { directory + "/" + $0 })
            try renderer.show { () throws(Failure) in report.presentation }
            terminal.talk("keep \(directory)/\(MeshAuthority.keyFile) off the nodes and out of version control")
        })
}
