import Crypto
import Envelope

extension KeyRecord {
    static let fileTitle = "gridrelay-root-key v1"
    private static let fields = [
        "generation", "creator", "created", "not-before", "soft-end", "hard-end", "state", "digest", "key-root",
        "code-root",
    ]

    /// The bytes of a root key file. They hold both roots: keep the file readable for its owner alone.
    public var file: [UInt8] {
        var text = KeyFile.head(
            KeyRecord.fileTitle,
            "All keys of this epoch can be made from this file. Keep it off relays and agents, mode 0600.")
        text += KeyFile.line("generation", String(generation))
        text += KeyFile.line("creator", creator.description)
        text += KeyFile.lines(life)
        text += KeyFile.line("state", state.description)
        text += KeyFile.line("digest", digest.description)
        text += Array("key-root: ".utf8) + keyRoot.digits + [UInt8(ascii: "\n")]
        text += Array("code-root: ".utf8) + codeRoot.digits + [UInt8(ascii: "\n")]
        return text
    }

    /// Reads a root key file and checks its digest, so that a changed digit anywhere is found.
    public init(file bytes: [UInt8]) throws(KeyFileError) {
        let file = try KeyFile(bytes, title: KeyRecord.fileTitle, fields: KeyRecord.fields)
        let (generation, creator) = (try file.generation(), try file.node("creator"))
        let (life, state) = (try file.life(), try file.state())
        let keyRoot = try file.secret("key-root")
        let codeRoot = try file.secret("code-root")
        let record: KeyRecord
        do throws(CryptoError) {
            record = try KeyRecord(
                generation: generation, creator: creator, life: life, state: state, keyRoot: keyRoot,
                codeRoot: codeRoot)
        } catch {
            throw KeyFileError(1, error.description)
        }
        guard record.digest == (try file.digest()) else {
            throw KeyFileError(
                try file.entry("digest").line,
                "'digest' does not fit the other fields; the file was changed, restore it")
        }
        self = record
    }
}

extension KeyFile {
    static func head(_ title: String, _ comment: String) -> [UInt8] { Array("\(title)\n# \(comment)\n".utf8) }

    static func line(_ name: String, _ value: String) -> [UInt8] { Array("\(name): \(value)\n".utf8) }

    static func lines(_ life: KeyLife) -> [UInt8] {
        line("created", UTCTime.text(life.created)) + line("not-before", UTCTime.text(life.notBefore))
            + line("soft-end", UTCTime.text(life.softEnd)) + line("hard-end", UTCTime.text(life.hardEnd))
    }
}
