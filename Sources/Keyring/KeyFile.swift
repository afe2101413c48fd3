import Crypto
import Envelope

/// Why a key file is not taken, where, and what to do about it. Never shows a secret.
public struct KeyFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1; the line behind the last one where something is missing.
    public let line: Int
    public let problem: String

    init(_ line: Int, _ problem: String) {
        self.line = line
        self.problem = problem
    }

    public var description: String { "line \(line): \(problem)" }
}

/// The shape that both kinds of key file share: a title, then lines `name: value`; blank lines and lines that begin
/// with `#` say nothing. docs/formats/keys.md shows them.
struct KeyFile {
    struct Entry {
        var line: Int
        var name: String
        var value: String
        /// Where the line begins in the file.
        var offset: Int
    }

    private(set) var entries: [Entry] = []
    private let lastLine: Int

    /// Reads lines; names outside `fields`, and names given twice unless they are `repeated`, are refused.
    init(_ bytes: [UInt8], title: String, fields: [String], repeated: String? = nil) throws(KeyFileError) {
        guard bytes.count <= Limits.keyFileBytes else {
            throw KeyFileError(1, "the file has more than \(Limits.keyFileBytes) bytes; it is not a key file")
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lastLine = lines.count
        var seenTitle = false
        for (index, raw) in lines.enumerated() {
            guard let text = String(validating: raw, as: UTF8.self) else {
                throw KeyFileError(index + 1, "not UTF-8 text; copy the file again in binary mode")
            }
            let line = KeyFile.trimmed(text)
            if line.isEmpty || line.hasPrefix("#") { continue }
            if seenTitle {
                try add(line, index + 1, raw.startIndex, fields, repeated)
            } else {
                guard line == title else {
                    throw KeyFileError(index + 1, "expected '\(title)'; this is another kind of file, or a newer one")
                }
                seenTitle = true
            }
        }
        guard seenTitle else {
            throw KeyFileError(1, "expected '\(title)', but the file is empty; create the key again")
        }
    }

    private mutating func add(
        _ line: String, _ number: Int, _ offset: Int, _ fields: [String], _ repeated: String?
    ) throws(KeyFileError) {
        guard let colon = line.firstIndex(of: ":") else {
            throw KeyFileError(number, "expected 'name: value'; the line may be broken in two")
        }
        let name = KeyFile.trimmed(String(line[..<colon]))
        guard fields.contains(name) else {
            throw KeyFileError(
                number, "'\(name.prefix(40))' is not a field here; known are \(fields.joined(separator: ", "))")
        }
        if name != repeated, let earlier = entries.first(where: { $0.name == name }) {
            throw KeyFileError(number, "'\(name)' is given twice, first in line \(earlier.line); remove one")
        }
        let value = KeyFile.trimmed(String(line[line.index(after: colon)...]))
        entries.append(Entry(line: number, name: name, value: value, offset: offset))
    }

    private static func trimmed(_ text: String) -> String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let first = text.firstIndex(where: { !blank($0) }), let last = text.lastIndex(where: { !blank($0) })
        else { return "" }
        return String(text[first...last])
    }

    // MARK: Values

    func all(_ name: String) -> [Entry] { entries.filter { $0.name == name } }

    func entry(_ name: String) throws(KeyFileError) -> Entry {
        guard let entry = entries.first(where: { $0.name == name }) else {
            throw KeyFileError(lastLine, "'\(name)' is missing; the file was cut short or edited, create it again")
        }
        return entry
    }

    func node(_ name: String) throws(KeyFileError) -> NodeName {
        try KeyFile.node(try entry(name).value, try entry(name).line)
    }

    static func node(_ text: some StringProtocol, _ line: Int) throws(KeyFileError) -> NodeName {
        do throws(NameError) { return try NodeName(text) } catch { throw KeyFileError(line, error.description) }
    }

    func generation() throws(KeyFileError) -> UInt64 {
        let entry = try entry("generation")
        guard let number = UInt64(entry.value) else {
            throw KeyFileError(entry.line, "'generation' needs a whole number from 0, such as 1")
        }
        return number
    }

    func state() throws(KeyFileError) -> KeyState {
        let entry = try entry("state")
        guard let state = KeyState(entry.value) else {
            throw KeyFileError(entry.line, "'state' is one of shared, active, retiring, destroyed")
        }
        return state
    }

    func life() throws(KeyFileError) -> KeyLife {
        func time(_ name: String) throws(KeyFileError) -> WallTime {
            let entry = try entry(name)
            guard let time = UTCTime.parse(entry.value) else {
                throw KeyFileError(entry.line, "'\(name)' needs a time in UTC such as 2026-11-21T10:15:00Z")
            }
            return time
        }
        let life = KeyLife(
            created: try time("created"), notBefore: try time("not-before"), softEnd: try time("soft-end"),
            hardEnd: try time("hard-end"))
        guard let life else {
            throw KeyFileError(try entry("soft-end").line, "not-before, soft-end and hard-end must follow each other")
        }
        return life
    }

    func digest() throws(KeyFileError) -> KeyDigest {
        let entry = try entry("digest")
        guard let digest = Hexadecimal.decode(entry.value).flatMap({ KeyDigest($0) }) else {
            throw KeyFileError(entry.line, "'digest' needs 64 hexadecimal digits; copy the file again")
        }
        return digest
    }

    func secret(_ name: String) throws(KeyFileError) -> SecretBytes {
        try KeyFile.secret(try entry(name).value, name, try entry(name).line)
    }

    static func secret(_ text: some StringProtocol, _ name: String, _ line: Int) throws(KeyFileError) -> SecretBytes {
        guard let bytes = Hexadecimal.decode(text), bytes.count == SharedSecret.size else {
            throw KeyFileError(line, "'\(name)' needs 64 hexadecimal digits for each secret; copy the file again")
        }
        return SecretBytes(copying: bytes)
    }
}
