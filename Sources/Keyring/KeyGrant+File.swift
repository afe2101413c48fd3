import Crypto
import Envelope

extension KeyGrant {
    static let fileTitle = "gridrelay-key-grant v1"
    private static let fields = [
        "holder", "generation", "created", "not-before", "soft-end", "hard-end", "state", "digest", "peer", "check",
    ]
    /// Hexadecimal digits of the check at the file's end.
    private static let checkDigits = 16

    /// The bytes of a grant file. They hold the secrets of the holder's pairs: readable for the holder alone.
    public var file: [UInt8] {
        var text = KeyFile.head(
            KeyGrant.fileTitle, "The keys of one node for its own conversations. Give it to that node only, mode 0600.")
        text += KeyFile.line("holder", holder.description)
        text += KeyFile.line("generation", String(generation))
        text += KeyFile.lines(life)
        text += KeyFile.line("state", state.description)
        text += KeyFile.line("digest", digest.description)
        for pair in pairs {
            text += Array("peer: \(pair.peer) ".utf8) + pair.key.digits + [UInt8(ascii: " ")]
            text += pair.code.digits + [UInt8(ascii: "\n")]
        }
        return text + KeyFile.line("check", KeyGrant.check(text[...]))
    }

    /// Reads a grant file; one that was cut short or changed is refused.
    public init(file bytes: [UInt8]) throws(KeyFileError) {
        let file = try KeyFile(bytes, title: KeyGrant.fileTitle, fields: KeyGrant.fields, repeated: "peer")
        let check = try file.entry("check")
        guard check.line == file.entries.last?.line, check.value == KeyGrant.check(bytes[..<check.offset]) else {
            throw KeyFileError(
                check.line, "'check' does not fit what stands above it; the file was changed, create the grant again")
        }
        var pairs: [Pair] = []
        for entry in file.all("peer") { pairs.append(try KeyGrant.pair(entry)) }
        if let twice = zip(pairs, pairs.dropFirst()).first(where: { $0.0.peer >= $0.1.peer }) {
            throw KeyFileError(check.line, "the peer \(twice.1.peer) is not in its place; create the grant again")
        }
        self.init(
            holder: try file.node("holder"), digest: try file.digest(), generation: try file.generation(),
            life: try file.life(), state: try file.state(), pairs: pairs)
    }

    private static func pair(_ entry: KeyFile.Entry) throws(KeyFileError) -> Pair {
        let parts = entry.value.split(separator: " ")
        guard parts.count == 3 else {
            throw KeyFileError(entry.line, "'peer' needs a node's name, its key and its code; create the grant again")
        }
        return Pair(
            peer: try KeyFile.node(parts[0], entry.line),
            key: SharedSecret(try KeyFile.secret(parts[1], "peer", entry.line)),
            code: SharedSecret(try KeyFile.secret(parts[2], "peer", entry.line)))
    }

    private static func check(_ bytes: ArraySlice<UInt8>) -> String {
        String(Hexadecimal.encode(Digest.sha256(Array(bytes))).prefix(checkDigits))
    }
}
