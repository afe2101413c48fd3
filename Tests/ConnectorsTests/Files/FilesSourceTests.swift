import Agent
import Envelope
import Glibc
import Testing

@testable import Connectors

@Suite("Files source")
struct FilesSourceTests {
    private let directory: TemporaryDirectory
    private let clocks = TestClocks()

    init() throws { directory = try TemporaryDirectory() }

    private func source(
        _ mode: FilesSourceSettings.Mode = .lines, _ change: (inout FilesSourceSettings) -> Void = { _ in }
    ) -> FilesSource {
        var settings = FilesSourceSettings(directory: directory.path, mode: mode)
        change(&settings)
        return FilesSource(settings, clocks: clocks.clocks)
    }

    @Test("Lines of several files come in order of name, with their line ends told")
    func lines() throws {
        try directory.write("c\r\nd", to: "b.txt")
        try directory.write("a\n\nb\n", to: "a.txt")
        let records = try source().drain().records()
        #expect(records.map(\.value) == ["a", "", "b", "c", "d"])
        #expect(records.map { $0.headers["eol"] } == [nil, nil, nil, "\r\n", ""])
        #expect(records.map { $0.headers["path"] } == ["a.txt", nil, nil, "b.txt", nil])
    }

    @Test("The same checkpoint gives the same records, at every place", arguments: [64, 200, 100_000])
    func repeatable(limit: Int) throws {
        for file in 0..<5 {
            try directory.write((0..<40).map { "file \(file) line \($0)\n" }.joined(), to: "f\(file)")
        }
        let whole = try source().drain(limit: limit)
        let values = try whole.values()
        #expect(values.count == 200)
        var done = 0
        for (index, bytes) in whole.batches.enumerated() {
            var reader = try RecordBatch.Reader(bytes)
            done += try reader.remaining().count
            let fresh = try source().drain(after: whole.checkpoints[index], limit: limit)
            #expect(try fresh.values() == Array(values[done...]))
        }
        #expect(Set(values).count == 200)
    }

    @Test("A file appended to while it is read gives each line once, and no half line")
    func growing() throws {
        clocks.windWallBack()
        let source = source()
        var expected: [String] = []
        var got: [String] = []
        var checkpoint: Checkpoint?
        for round in 0..<60 {
            try directory.write("first half of \(round)", to: "log", appending: true)
            let half = try source.drain(after: checkpoint, limit: 100)
            got += try half.values()
            checkpoint = half.checkpoint ?? checkpoint
            #expect(got == expected)
            #expect(half.again != nil)
            try directory.write(", second half\nwhole\n", to: "log", appending: true)
            expected += ["first half of \(round), second half", "whole"]
        }
        got += try source.drain(after: checkpoint).values()
        #expect(got == expected)
    }

    @Test("The end of a file without a line end comes once it is at rest, and may go on")
    func openEnd() throws {
        clocks.windWallBack()
        let source = source { $0.stableFor = .seconds(5) }
        try directory.write("one\ntwo", to: "log")
        let first = try source.drain()
        #expect(try first.values() == ["one"])
        #expect(first.again == .seconds(5))
        clocks.advance(.seconds(5))
        let second = try source.drain(after: first.checkpoint)
        #expect(try second.records().map { [$0.value, $0.headers["eol"]] } == [["two", ""]])
        try directory.write("more\n", to: "log", appending: true)
        let third = try self.source().drain(after: second.checkpoint)
        #expect(try third.records().map { [$0.value, $0.headers["continues"]] } == [["more", ""]])
    }

    @Test("A renamed file is followed and the new one under its name is read too")
    func rotation() throws {
        let source = source { $0.pattern = "log" }
        try directory.write("1\n2\n", to: "log")
        let first = try source.drain()
        try directory.write("3\n", to: "log", appending: true)
        #expect(rename(directory.path("log"), directory.path("log.1")) == 0)
        try directory.write("4\n", to: "log")
        let second = try source.drain(after: first.checkpoint)
        #expect(try second.values() == ["3", "4"])
        #expect(try self.source { $0.pattern = "log" }.drain(after: second.checkpoint).batches.isEmpty)
    }

    @Test("A file cut to nothing and written anew is read from its beginning")
    func truncation() throws {
        try directory.write("1\n2\n3\n", to: "log")
        let first = try source().drain()
        try directory.write("4\n", to: "log")
        let second = try source().drain(after: first.checkpoint)
        #expect(try second.values() == ["4"])
        // Grown past the old place before anybody looked.
        try directory.write("5\n6\n7\n8\n9\n", to: "log")
        #expect(try source().drain(after: second.checkpoint).values() == ["5", "6", "7", "8", "9"])
    }

    @Test("Files are told apart by pattern; hidden files and directories stay out unless asked for")
    func patterns() throws {
        for name in ["a.csv", "b.txt", ".hidden.csv", "sub/c.csv", "sub/deep/d.csv"] {
            try directory.write(name + "\n", to: name)
        }
        #expect(try source { $0.pattern = "*.csv" }.drain().values() == ["a.csv"])
        let recursive = source {
            $0.pattern = "*.csv"
            $0.isRecursive = true
        }
        #expect(try recursive.drain().values() == ["a.csv", "sub/c.csv", "sub/deep/d.csv"])
        let below = source {
            $0.pattern = "sub/*.csv"
            $0.isRecursive = true
        }
        #expect(try below.drain().values() == ["sub/c.csv"])
        let named = FilesSource(FilesSourceSettings(file: directory.path("b.txt"), mode: .lines), clocks: clocks.clocks)
        #expect(try named.drain().values() == ["b.txt"])
    }

    @Test("Rows carry key, time and, once a batch, their header")
    func rows() throws {
        try directory.write(
            "\u{feff}id;when;text\r\n1;2026-03-01T12:00:00Z;\"a;\"\"b\"\"\nc\"\r\n2;late;x\r\n", to: "a.csv")
        let source = source(.csv) {
            $0.separator = UInt8(ascii: ";")
            $0.keyColumn = "id"
            $0.timeColumn = "when"
        }
        let records = try source.drain().records()
        #expect(records.map(\.value) == ["1;2026-03-01T12:00:00Z;\"a;\"\"b\"\"\nc\"", "2;late;x"])
        #expect(records.map(\.key) == ["1", "2"])
        #expect(records[0].time == WallTime(milliseconds: 1_772_366_400_000))
        #expect(records.map(\.quality) == [.good, .uncertain])
        #expect(records[0].headers["csv-header"] == "\u{feff}id;when;text")
        #expect(records[0].headers["csv-header-eol"] == "\r\n")
        #expect(records[1].headers["csv-header"] == nil)
    }

    @Test("A missing column is a matter of configuration and names what there is")
    func missingColumn() throws {
        try directory.write("id,when\n1,2\n", to: "a.csv")
        let source = source(.csv) { $0.keyColumn = "ident" }
        let error = try #require(throws: ConnectorError.self) { try source.drain() }
        #expect(error.kind == .configuration)
        #expect(error.description.contains("id, when"))
    }

    @Test("A record without an end is refused before it eats the memory")
    func endlessRecord() throws {
        let block = [UInt8](repeating: 120, count: 1 << 20)
        for _ in 0..<10 { try directory.write(block, to: "x", appending: true) }
        let error = try #require(throws: ConnectorError.self) { try source().drain() }
        #expect(error.kind == .configuration)
    }

    @Test("Whole files wait until they are at rest, then come in chunks with a hash")
    func whole() throws {
        clocks.windWallBack()
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try directory.write(content, to: "sub/picture.raw")
        try directory.write("", to: "empty")
        let source = source(.whole) {
            $0.chunkBytes = 3_000
            $0.isRecursive = true
        }
        let early = try source.drain()
        #expect(early.batches.isEmpty && early.again == .seconds(2))
        clocks.advance(.seconds(2))
        let drained = try source.drain(limit: 4_000)
        let records = try drained.records()
        #expect(records.map { $0.headers["offset"] } == ["0", "0", "3000", "6000", "9000"])
        #expect(records.map { $0.headers["size"] } == ["0"] + Array(repeating: "10000", count: 4))
        #expect(records.map { $0.headers["sha256"] != nil } == [true, false, false, false, true])
        #expect(try source.drain(after: drained.checkpoint).batches.isEmpty)
        // A restart in the middle of the file gives the same rest, hash included.
        for place in drained.checkpoints.indices {
            let rest = try self.source(.whole) {
                $0.chunkBytes = 3_000
                $0.isRecursive = true
            }.drain(after: drained.checkpoints[place], limit: 4_000)
            #expect(rest.batches == Array(drained.batches[(place + 1)...]))
        }
    }

    @Test("What has arrived is deleted or moved, and nothing before")
    func tidyUp() throws {
        try directory.write("1\n", to: "a")
        try directory.write("2\n", to: "b")
        let source = source { $0.afterwards = .move }
        let drained = try source.drain()
        #expect(directory.exists("a") && directory.exists("b"))
        try directory.write("3\n", to: "b", appending: true)
        try source.acknowledge(try #require(drained.checkpoint))
        #expect(!directory.exists("a") && directory.exists("b"))
        #expect(directory.text("done/a") == "1\n")
        let more = try source.drain(after: drained.checkpoint)
        #expect(try more.values() == ["3"])
        try directory.write("4\n", to: "a")
        let last = try source.drain(after: more.checkpoint)
        #expect(try last.values() == ["4"])
        try source.acknowledge(try #require(last.checkpoint))
        #expect(directory.text("done/a.1") == "4\n" && directory.text("done/b") == "2\n3\n")
    }

    @Test("A checkpoint that is damaged or another's is refused, at every byte")
    func badCheckpoints() throws {
        try directory.write("1\n2\n", to: "a")
        let good = try #require(try source().drain().checkpoint)
        for length in 0..<good.bytes.count {
            #expect(throws: ConnectorError.self) {
                try source().drain(after: Checkpoint(Array(good.bytes[..<length])))
            }
        }
        for index in good.bytes.indices {
            var flipped = good
            flipped.bytes[index] ^= 0x80
            // Some flips change a name or a hash and mean "not the file I read"; none may trap.
            _ = try? source().drain(after: flipped)
        }
        let huge = Checkpoint(Array("GRFILES1".utf8) + [UInt8](repeating: 255, count: 64))
        #expect(throws: ConnectorError.self) { try source().drain(after: huge) }
    }

    @Test("A missing directory is told by its path")
    func missingDirectory() throws {
        let settings = FilesSourceSettings(directory: "/nowhere/at/all", mode: .lines)
        let error = try #require(throws: ConnectorError.self) { try FilesSource(settings).drain() }
        #expect(error.kind == .configuration && error.description.contains("/nowhere/at/all"))
    }
}
