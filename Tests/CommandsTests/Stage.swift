import Admin
import Envelope
import Glibc
import Node
import Synchronization
import Testing

@testable import Commands

/// A terminal that records, a directory that goes with the test, and a node to ask.
final class Stage: Sendable {
    struct Recording: Sendable {
        var output: [UInt8] = []
        var talk = ""
        var pauses = 0
    }

    static let now = WallTime(milliseconds: 1_795_254_759_123)

    let directory: String
    let server = Server()
    private let recording = Mutex(Recording())

    init(_ handler: (@Sendable (AdminRequest) -> AdminResponse)? = nil) throws {
        let template = strdup("/tmp/relayctl-XXXXXX")
        defer { free(template) }
        let name = try #require(template)
        try #require(mkdtemp(name) != nil)
        directory = String(cString: name)
        if let handler { try server.start(socket: socket, handler: handler) }
    }

    deinit {
        server.stop()
        removeTree(directory)
    }

    var socket: String { directory + "/node.sock" }

    /// What a command wrote and how it ended.
    struct Outcome: Equatable {
        var code: ExitCode
        var output: String
        var talk: String
    }

    /// - Parameters:
    ///   - environment: replaces the stage's own, which names the node.
    ///   - input: standard input; nil: a terminal.
    ///   - looks: ends a watch after so many.
    func run(
        _ words: [String], environment: [String: String]? = nil, input: [UInt8]? = nil, isTerminal: Bool = false,
        looks: Int = 1
    ) -> Outcome {
        recording.withLock { $0 = Recording() }
        let terminal = Terminal(
            write: { [self] bytes in recording.withLock { $0.output += bytes } },
            talk: { [self] text in recording.withLock { $0.talk += text + "\n" } },
            readInput: { limit in (input?.count ?? 0) > limit ? nil : input ?? [] },
            isInputTerminal: input == nil, isOutputTerminal: isTerminal,
            environment: environment ?? ["RELAY_SOCKET": socket], now: { Self.now },
            pause: { [self] _ in
                recording.withLock {
                    $0.pauses += 1
                    return $0.pauses < looks
                }
            })
        let code = Relayctl.run(words, on: terminal)
        let result = recording.withLock { $0 }
        return Outcome(code: code, output: String(decoding: result.output, as: UTF8.self), talk: result.talk)
    }

    /// Plays a script: lines that begin with `$ ` are typed, what follows must come back. Talk is marked by `! `, an exit
    /// code other than 0 by `? `. `DIR` stands for the stage's directory.
    func play(_ script: String, location: SourceLocation = #_sourceLocation) {
        var actual = ""
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) where line.hasPrefix("$ relayctl") {
            let words = Self.words(String(line.dropFirst(10))).map { $0.replacing("DIR", with: directory) }
            let outcome = run(words)
            actual += line + "\n" + outcome.output
            for talk in outcome.talk.split(separator: "\n") { actual += "! \(talk)\n" }
            if outcome.code != .ok { actual += "? \(outcome.code.rawValue)\n" }
        }
        let shown = actual.replacing(directory, with: "DIR")
        #expect(shown == script + "\n", sourceLocation: location)
    }

    /// Words in single quotes stay together.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        for (index, part) in line.split(separator: "'", omittingEmptySubsequences: false).enumerated() {
            words += index.isMultiple(of: 2) ? part.split(separator: " ").map(String.init) : [String(part)]
        }
        return words
    }

    func permissions(_ name: String) -> mode_t? {
        var status = stat()
        return lstat(directory + "/" + name, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}

/// Removes a directory and all in it.
private func removeTree(_ path: String) {
    if let directory = opendir(path) {
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeTree(path + "/" + name) }
        }
        closedir(directory)
        rmdir(path)
    } else {
        unlink(path)
    }
}
