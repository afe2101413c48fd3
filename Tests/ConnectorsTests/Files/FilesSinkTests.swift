import Agent
import Envelope
import Glibc
import Testing

@testable import Connectors

@Suite("Files sink")
struct FilesSinkTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func settings(
        _ mode: FilesSinkSettings.Mode = .append, name: String = "{topic}.log",
        format: FilesSinkSettings.Format = .lines
    ) throws -> FilesSinkSettings {
        FilesSinkSettings(
            directory: directory.path("out"), mode: mode, name: try #require(OutputTemplate(name)), format: format)
    }

    @Test("Lines are added once, also when a delivery comes again")
    func append() throws {
        let sink = FilesSink(try settings())
        var stream = TestStream()
        let first = stream.delivery(try batch(["a", "b"]))
        let second = stream.delivery(try batch(["c"]))
        try sink.apply([first])
        try sink.apply([first, second])
        #expect(directory.text("out/topic.log") == "a\nb\nc\n")
        #expect(try sink.mark(of: stream.stream) == Sequence(2))
        #expect(try sink.mark(of: StreamID(Bytes16(low: 5, high: 5))) == .none)
    }

    @Test("Two sinks on one directory are refused")
    func lock() throws {
        let sink = FilesSink(try settings())
        _ = try sink.mark(of: TestStream().stream)
        let other = FilesSink(try settings())
        let error = try #require(throws: ConnectorError.self) { try other.mark(of: TestStream().stream) }
        #expect(error.kind == .configuration)
    }

    @Test("Topics go to files of their own, rows under one header each")
    func headers() throws {
        let sink = FilesSink(try settings(name: "{topic}.csv", format: .csv))
        var stream = TestStream()
        for (header, value) in [("a,b", "1,2"), ("a,b", "3,4"), ("a,c", "5,6")] {
            let bytes = try batch([value], headers: [RecordHeader("csv-header", header)])
            try sink.apply([stream.delivery(bytes)])
        }
        #expect(directory.text("out/topic.csv") == "a,b\n1,2\n3,4\na,c\n5,6\n")
        let error = try #require(throws: ConnectorError.self) { try sink.apply([stream.delivery(try batch(["x"]))]) }
        #expect(error.kind == .rejected)
    }

    @Test(
        "Names that lead out of the directory are refused",
        arguments: [
            "../x", "/etc/passwd", "a/../../x", "a//b", "a\u{0}b", ".gridrelay/marks", "", ".", "a/.", "a\nb",
            ".GridRelay/marks", String(repeating: "x", count: 256),
        ])
    func pathTricks(path: String) throws {
        let sink = FilesSink(try settings(name: "{path}"))
        var stream = TestStream()
        let bytes = try batch(["x"], headers: [RecordHeader("path", path)])
        let error = try #require(throws: ConnectorError.self) { try sink.apply([stream.delivery(bytes)]) }
        #expect(error.kind == .rejected)
        #expect(try sink.mark(of: stream.stream) == .none)
    }

    @Test("A damaged batch is rejected and leaves nothing")
    func damaged() throws {
        let sink = FilesSink(try settings())
        var stream = TestStream()
        let good = try batch(["a", "b"])
        let bad = stream.delivery(Array(good.dropLast()))
        var other = TestStream(2)
        let error = try #require(throws: ConnectorError.self) { try sink.apply([other.delivery(good), bad]) }
        #expect(error.kind == .rejected)
        #expect(directory.text("out/topic.log") == nil)
        #expect(try sink.mark(of: other.stream) == .none)
    }

    @Test("A file that was taken away begins anew; one that was cut is reported")
    func outsideChanges() throws {
        let sink = FilesSink(try settings())
        var stream = TestStream()
        try sink.apply([stream.delivery(try batch(["a"]))])
        #expect(unlink(directory.path("out/topic.log")) == 0)
        try sink.apply([stream.delivery(try batch(["b"]))])
        #expect(directory.text("out/topic.log") == "b\n")
        #expect(truncate(directory.path("out/topic.log"), 1) == 0)
        let cut = stream.delivery(try batch(["c"]))
        let error = try #require(throws: ConnectorError.self) { try sink.apply([cut]) }
        #expect(error.kind == .configuration)
    }

    /// Runs the work, cutting it short at the n-th step for each n, with a fresh sink over the same directory after
    /// each cut and, to stand for a loss of power, part of what was not yet durable gone or replaced by rubbish.
    private func withCrashes(
        _ mode: FilesSinkSettings.Mode, name: String, _ rounds: [[Delivery]], rubbish: String?
    ) throws -> Int {
        var crashes = 0
        for round in rounds {
            var cutAt = 0
            var isDone = false
            while !isDone {
                var count = 0
                var hasWritten = false
                let sink = FilesSink(try settings(mode, name: name)) { step throws(ConnectorError) in
                    count += 1
                    if step == .willSynchronize { hasWritten = true }
                    if count > cutAt { throw ConnectorError(.transient, "cut") }
                }
                do {
                    let fresh = try round.filter { try $0.sequence > sink.mark(of: $0.stream) }
                    try sink.apply(fresh)
                    isDone = true
                } catch let error as ConnectorError {
                    #expect(error.description == "cut", "\(error)")
                    crashes += 1
                    if let rubbish, hasWritten {
                        try directory.write("torn", to: "out/" + rubbish, appending: true)
                    }
                }
                cutAt += 1
            }
        }
        return crashes
    }

    @Test("Cut at every step, each line is there once", arguments: [nil, "topic.log"])
    func crashesWhileAppending(rubbish: String?) throws {
        var streams = [TestStream(1), TestStream(2)]
        var rounds: [[Delivery]] = []
        var expected = ""
        for round in 0..<4 {
            var deliveries: [Delivery] = []
            for index in streams.indices {
                let values = (0..<3).map { "round \(round) stream \(index) line \($0)" }
                expected += values.map { $0 + "\n" }.joined()
                deliveries.append(streams[index].delivery(try batch(values)))
            }
            rounds.append(deliveries)
        }
        let crashes = try withCrashes(.append, name: "{topic}.log", rounds, rubbish: rubbish)
        #expect(crashes > 15)
        #expect(directory.text("out/topic.log") == expected)
    }

    @Test("Cut at every step, whole files arrive whole and once")
    func crashesWhileAssembling() throws {
        let first = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
        try directory.write(first, to: "in/deep/first.bin")
        try directory.write("second", to: "in/second.txt")
        try directory.write("", to: "in/third")
        var settings = FilesSourceSettings(directory: directory.path("in"), mode: .whole)
        settings.isRecursive = true
        settings.chunkBytes = 9_000
        let batches = try FilesSource(settings, clocks: TestClocks().clocks).drain(limit: 20_000).batches
        var stream = TestStream()
        let deliveries = stream.deliveries(batches)
        #expect(deliveries.count >= 3)
        let crashes = try withCrashes(.whole, name: "{path}", deliveries.map { [$0] }, rubbish: nil)
        #expect(crashes > 20)
        #expect(directory.read("out/deep/first.bin") == first)
        #expect(directory.text("out/second.txt") == "second")
        #expect(directory.read("out/third") == [])
        #expect(
            try FileListing(directory: directory.path("out/.gridrelay/parts"), pattern: "*", isRecursive: false)
                .everything().isEmpty)
    }

    @Test("A source restarted in the middle of a file goes on in a new stream")
    func newStreamInTheMiddle() throws {
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        try directory.write(content, to: "in/file")
        var settings = FilesSourceSettings(directory: directory.path("in"), mode: .whole)
        settings.chunkBytes = 2_000
        let drained = try FilesSource(settings, clocks: TestClocks().clocks).drain(limit: 2_100)
        #expect(drained.batches.count == 5)
        let sink = FilesSink(try self.settings(.whole, name: "{path}"))
        var first = TestStream(1)
        for bytes in drained.batches[..<3] { try sink.apply([first.delivery(bytes)]) }
        var second = TestStream(2)
        for bytes in drained.batches[2...] { try sink.apply([second.delivery(bytes)]) }
        #expect(directory.read("out/file") == content)
        // Restarted once more before it heard of its success.
        var third = TestStream(3)
        for bytes in drained.batches[3...] { try sink.apply([third.delivery(bytes)]) }
        #expect(directory.read("out/file") == content)
    }

    @Test("A chunk whose file does not have its hash, or whose beginning is missing, is rejected")
    func badChunks() throws {
        func chunk(_ content: String, _ offset: Int, _ size: Int, hash: String? = nil) throws -> [UInt8] {
            var headers = [
                RecordHeader("path", "x"), RecordHeader("offset", String(offset)), RecordHeader("size", String(size)),
            ]
            if let hash { headers.append(RecordHeader("sha256", hash)) }
            return try batch([content], headers: headers)
        }
        let wrong = String(repeating: "00", count: 32)
        for bytes in [
            try chunk("abc", 0, 3, hash: wrong), try chunk("abc", 3, 9), try chunk("abc", 0, 3), try chunk("abc", 0, 2),
            try chunk("abc", -1, 3), try batch(["abc"]), try chunk("abc", 0, 9, hash: wrong),
        ] {
            let sink = FilesSink(try settings(.whole, name: "{path}"))
            var stream = TestStream()
            let error = try #require(throws: ConnectorError.self) { try sink.apply([stream.delivery(bytes)]) }
            #expect(error.kind == .rejected)
            #expect(!directory.exists("out/x"))
            #expect(try sink.mark(of: stream.stream) == .none)
        }
    }

    @Test("Damaged marks are told, at every bit")
    func damagedMarks() throws {
        var stream = TestStream()
        try FilesSink(try settings()).apply([stream.delivery(try batch(["a"]))])
        let good = try #require(directory.read("out/.gridrelay/marks"))
        for index in good.indices {
            var bad = good
            bad[index] ^= UInt8(1 << (index % 8))
            try directory.write(bad, to: "out/.gridrelay/marks")
            #expect(throws: ConnectorError.self) { try FilesSink(try settings()).mark(of: stream.stream) }
            try directory.write(Array(good[..<index]), to: "out/.gridrelay/marks")
            #expect(throws: ConnectorError.self) { try FilesSink(try settings()).mark(of: stream.stream) }
        }
    }

    @Test("Streams beyond the bound are forgotten, the oldest first")
    func bounded() {
        var marks = FilesMarks()
        for number in 0..<UInt64(FilesMarks.streams + 10) {
            marks.commit = number
            marks.note(Sequence(1), of: StreamID(Bytes16(low: number, high: 0)))
        }
        #expect(marks.streams.count == FilesMarks.streams)
        #expect(marks.streams[StreamID(Bytes16(low: 9, high: 0))] == nil)
        #expect(marks.streams[StreamID(Bytes16(low: 10, high: 0))] != nil)
    }
}
