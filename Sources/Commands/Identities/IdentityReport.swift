import Envelope
import Node

/// What was made, and where it lies.
struct IdentityReport: Encodable, Sendable {
    var schema = 1
    var name: String
    var notAfter: WallTime
    /// SHA-256 of the certificate, in hexadecimal.
    var fingerprint: String
    var files: [String]

    var presentation: Presentation {
        var lines = [
            Line(name, .strong) + Line("  valid until \(notAfter.rfc3339.prefix(10))"),
            Line("fingerprint \(fingerprint)", .dim),
        ]
        lines += files.map { Line("made \($0)") }
        return Presentation(self, sections: [.lines(lines)])
    }
}

extension Option {
    static let out = Option(
        spellings: ["--out"], value: .text(placeholder: "DIR"), summary: "directory for the files; made if missing",
        isRequired: true, completion: .directory)

    static let authority = Option(
        spellings: ["--ca"], value: .text(placeholder: "DIR"),
        summary: "directory of the authority, made by 'ca create'",
        isRequired: true, completion: .directory)

    static let force = Option(
        spellings: ["--force"], summary: "replace what is there; a replaced key is gone for ever")

    static func days(_ otherwise: Int) -> Option {
        Option(
            spellings: ["--days"], value: .text(placeholder: "DAYS"),
            summary: "how long the certificate is valid (default \(otherwise))")
    }
}
