import Agent
import Envelope
import Testing

@testable import Connectors

/// Names that a power cut would take before they may be built upon: each must have been made durable by then.
@Suite struct DurableNamesTests {
    private let directory: TemporaryDirectory
    private let watched = WatchedNames()

    init() throws { directory = try TemporaryDirectory() }

    /// A sink whose steps are looked on: nothing but the marks' own new name may hang in the air when they are renamed,
    /// and nothing at all when that is done.
    /// - Parameter place: where in the sink's directory new files are made.
    private func sink(_ mode: FilesSinkSettings.Mode, name: String, in place: String = "") throws -> FilesSink {
        let output = directory.path("out")
        let settings = FilesSinkSettings(
            directory: output, mode: mode, name: try #require(OutputTemplate(name)), format: .lines)
        return FilesSink(settings, names: watched) { [watched] (step) throws(ConnectorError) in
            switch step {
            // A file is made behind these, whose name the watched names do not see.
            case .willWrite where mode == .whole: watched.loose.insert(output + "/.gridrelay/parts")
            case .willCreate: watched.loose.insert(output + place)
            case .willRenameMarks: #expect(watched.loose == [], "the marks would tell of what is not durable")
            case .didRenameMarks, .didPublish: #expect(watched.loose == [])
            default: break
            }
        }
    }

    @Test func aSinkBeginsWithDurableDirectories() throws {
        var stream = TestStream()
        try sink(.append, name: "{topic}.log").apply([stream.delivery(try batch(["a"]))])
        #expect(watched.loose == [])
        #expect(watched.synchronized.isSuperset(of: [directory.path, directory.path("out")]))
    }

    @Test func outputsAreNamedDurablyBeforeTheMarksTellOfThem() throws {
        var stream = TestStream()
        let sink = try sink(.append, name: "deep/{topic}.log", in: "/deep")
        try sink.apply([stream.delivery(try batch(["a"]))])
        #expect(watched.loose == [])
        // The output and the directory made for it.
        #expect(watched.synchronized.isSuperset(of: [directory.path("out/deep"), directory.path("out")]))
    }

    @Test func finishedFilesAreNamedDurablyBeforeTheirPartIsForgotten() throws {
        try directory.write("content", to: "in/a/b/file")
        var settings = FilesSourceSettings(directory: directory.path("in"), mode: .whole)
        settings.isRecursive = true
        let batches = try FilesSource(settings, clocks: TestClocks().clocks).drain(limit: 20_000).batches
        var stream = TestStream()
        try sink(.whole, name: "{path}").apply(stream.deliveries(batches))
        #expect(directory.text("out/a/b/file") == "content")
        #expect(watched.loose == [])
    }

    /// A process that was killed has renamed its marks, and nobody knows whether that outlives a power cut.
    @Test func marksThatAreReadAreDurableBeforeAnybodyIsToldOfThem() throws {
        var stream = TestStream()
        try sink(.append, name: "{topic}.log").apply([stream.delivery(try batch(["a"]))])
        let state = directory.path("out/.gridrelay")
        watched.synchronized = []
        // It renames them while the next one waits for its lock, and after that has made its directories sure.
        var isRenamed = false
        watched.afterwards = { [watched] path in
            if path == state, !isRenamed { watched.loose.insert(state) }
            isRenamed = true
        }
        #expect(try sink(.append, name: "{topic}.log").mark(of: stream.stream) == Sequence(1))
        #expect(isRenamed && watched.loose == [])
        #expect(watched.synchronized.contains(state))
    }

    @Test(arguments: ["a", "a/b", "a/b/c"]) func directoriesOfAKilledProcessAreMadeDurable(made: String) throws {
        var path = directory.path
        for part in made.split(separator: "/") {
            path += "/" + part
            try watched.make(path)
        }
        // It had got to the last of them; those above had been synchronized before it went on.
        watched.loose = [try #require(Directory.parent(of: path))]
        try watched.create(directory.path("a/b/c"))
        #expect(watched.loose == [])
        #expect(directory.exists("a/b/c"))
    }

    @Test func whatCannotBeMadeIsTold() throws {
        try directory.write("a file", to: "taken")
        #expect(throws: ConnectorError.self) { try watched.create(directory.path("taken/below")) }
    }
}

/// The system's names, and which directories have had a name made or changed since they were made durable.
private final class WatchedNames: DirectoryNames {
    private let system = Directory()
    var loose: Set<String> = []
    var synchronized: Set<String> = []
    /// Called with each directory that was made durable.
    var afterwards: (String) -> Void = { _ in }

    private func changed(_ path: String) { loose.insert(Directory.parent(of: path) ?? "/") }

    func make(_ path: String) throws(ConnectorError) {
        try system.make(path)
        changed(path)
    }

    func synchronize(_ path: String) throws(ConnectorError) {
        try system.synchronize(path)
        loose.remove(path)
        synchronized.insert(path)
        afterwards(path)
    }

    func rename(_ from: String, to target: String) throws(ConnectorError) {
        try system.rename(from, to: target)
        // A name that is left over does no harm here: what it names is cut off or put in place at the next start.
        changed(target)
    }
}
