import Envelope

/// The database tool of the system, for what stands outside the mesh: making the input and looking at the output.
enum SQLiteTool {
    /// Runs statements.
    /// - Returns: what they answer, a row a line, texts in quotes.
    static func run(_ statements: String, on path: String, readOnly: Bool = false) throws(Failure) -> [String] {
        let words =
            ["sqlite3", "-batch", "-bail", "-quote"] + (readOnly ? ["-readonly"] : [])
            + ["-cmd", ".timeout 5000", path, statements]
        let outcome: (status: Int32, output: [UInt8])
        do throws(Failure) { outcome = try Spawn.run(words, limit: 64 << 20) } catch {
            throw Failure(
                lines: error.lines, hint: "the demo needs the package sqlite3: make deps", code: .failed)
        }
        let text = String(decoding: outcome.output, as: UTF8.self)
        guard outcome.status == 0 else {
            throw Failure("sqlite3 \(path): \(Sanitised.line(String(text.prefix(200))))")
        }
        return text.split(separator: "\n").map(String.init)
    }
}
