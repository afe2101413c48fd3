import Glibc
import Testing

@testable import Commands

@Suite struct DemoPartsTests {
    @Test func feedGivesTheFileByteForByte() {
        let bytes = Array("h,i\n1,2\r\n3,4\n5,6".utf8)
        var feed = RowFeed(bytes)
        #expect(feed.rows.count == 3)
        #expect(feed.mark(0.5) == 2)
        #expect(feed.mark(7) == 3)
        let parts = [feed.header] + feed.take(to: 1) + feed.take(to: 1) + feed.take(to: 9)
        #expect(Array(parts.joined()) == bytes)
        #expect(feed.isOver)
        #expect(feed.take(to: 2).isEmpty)
        #expect(RowFeed([]).rows.isEmpty)
    }

    @Test func rowsBecomeValues() {
        let tuple = DemoInput.tuple(id: 7, Array("2012/01/01,0.0,12.8,-5,4.7,o'clock\n".utf8))
        #expect(tuple == "(7,'2012/01/01',0.0,12.8,-5,4.7,'o''clock')")
    }

    @Test func topologyIsLedThroughTheLines() throws {
        let text = """
            jobs:
              - name: x
                to: plant-b/agent-1
            links:
              - {from: a/r, to: b/r}
            """
        let adapted = try DemoTopology.adapt(text, detours: [.init(from: "a/r", to: "b/r", port: 99)], plain: true)
        #expect(adapted.contains("    to: plant-b/agent-1\n    compression: none\n"))
        #expect(adapted.hasSuffix("{from: a/r, to: b/r, dial: {host: 127.0.0.1, port: 99}}"))
        #expect(try DemoTopology.adapt(text, detours: [], plain: false) == text)
        #expect(throws: Failure.self) {
            try DemoTopology.adapt(text, detours: [.init(from: "b/r", to: "a/r", port: 9)], plain: false)
        }
    }

    @Test func searchFindsWhatIsThere() throws {
        let search = PlaintextSearch(["drizzle", "aab", ""])
        #expect(search.look(at: Array("a drizzle, aaab, drizzl".utf8)) == .init(bytes: 23, hits: 2))
        #expect(search.look(at: []).hits == 0)
        #expect(search.look(at: Array("drizzl".utf8)).hits == 0)
    }

    /// Markers at every place about the border of two reads are found, and once each.
    @Test(arguments: [-9, -7, -6, -1, 0, 1, 6, 7]) func searchLooksAcrossReads(_ shift: Int) throws {
        let stage = try Stage()
        var bytes = [UInt8](repeating: 0x61, count: (2 << 20) + 40)
        for border in [1 << 20, 2 << 20] {
            bytes.replaceSubrange(border + shift..<border + shift + 7, with: Array("drizzle".utf8))
        }
        let path = stage.directory + "/file"
        try LocalFile.write(bytes, to: path, mode: 0o600, replaces: true)
        let finding = PlaintextSearch(["drizzle", "zle"]).look(atFiles: [path, stage.directory + "/none"])
        #expect(finding == .init(bytes: UInt64(bytes.count), hits: 4))
    }

    @Test func secretsAreLookedForInBothForms() throws {
        let search = PlaintextSearch(secretsOf: Array("digest: 0a0b\npeer: b/a 4142 0cff\npeer: c/a 4344 x\n".utf8))
        #expect(search.markers.contains([0x0C, 0xFF]))
        #expect(search.markers.count == 7)
        #expect(search.look(at: [0x41, 0x42, 0x0C, 0xFF] + Array("0a0b 0cff".utf8)).hits == 3)
    }

    @Test func searchLooksIntoMemory() throws {
        // Made at run time, so that it lies in memory that can be written.
        let word = "marker-\(getpid())-in-memory"
        let finding = try #require(PlaintextSearch([word]).look(atMemoryOf: getpid()))
        #expect(finding.hits > 0)
        #expect(finding.bytes > 0)
        #expect(PlaintextSearch(["x"]).look(atMemoryOf: 0) == nil)
        #expect(PlaintextSearch.writableRange("00-ff rw-p 0 0 0 [heap]") == 0..<255)
        for line in ["00-ff r--p 0 0 0", "ff-00 rw-p", "zz-ff rw-p", "", "00-ffffffffffffffff rw-p"] {
            #expect(PlaintextSearch.writableRange(line[...]) == nil)
        }
    }

    @Test func onlyTheDemosOwnDirectoryIsTaken() throws {
        let stage = try Stage()
        let path = stage.directory + "/demo"
        let place = try DemoPlace(path + "/")
        #expect(!place.isDemo)
        do {
            let claim = try place.claim()
            try place.note(.up)
            #expect(place.purpose == .up)
            #expect(throws: Failure.self) { try place.claim() }
            withExtendedLifetime(claim) {}
        }
        try LocalFile.makeDirectory(place.logs)
        try LocalFile.write([], to: path + "/mine", mode: 0o600, replaces: true)
        symlink(stage.directory, place.mesh)
        #expect(!place.remove())
        #expect(DirectoryTree.names(in: path) == ["mine"])
        // Without the marker it is a stranger's.
        #expect(throws: Failure.self) { try place.claim() }
        #expect(DirectoryTree.names(in: stage.directory) == ["demo"])
        unlink(path + "/mine")
        _ = try place.claim()
        #expect(place.remove())
        #expect(!LocalFile.exists(path))
        for wrong in ["", ".", "..", "/", stage.directory + "/no/such"] {
            #expect(throws: Failure.self) { try DemoPlace(wrong) }
        }
    }

    @Test func downAndStatusWithoutADemo() throws {
        let stage = try Stage()
        try LocalFile.makeDirectory(stage.directory + "/other")
        stage.play(
            """
            $ relayctl demo status --dir DIR/none
            ! error: there is no demo in DIR/none
            ! hint:  start one: relayctl demo up
            ? 1
            """)
    }

    /// Programs of other names and configurations of other directories are nobody's business.
    @Test func strangersAreNotTaken() throws {
        #expect(MeshProcess(getpid(), below: "/") == nil)
        #expect(MeshProcess.living(below: "/nowhere").isEmpty)
    }

    @Test func programsAreRun() throws {
        let outcome = try Spawn.run(["sh", "-c", "echo out; echo err >&2; exit 3"], limit: 100)
        #expect(outcome.status == 3)
        #expect(String(decoding: outcome.output, as: UTF8.self) == "out\nerr\n")
        #expect(try Spawn.run(["sh", "-c", "kill -9 $$"], limit: 100).status == 137)
        #expect(throws: Failure.self) { try Spawn.run(["no-such-program-here"], limit: 100) }
        #expect(throws: Failure.self) { try Spawn.run(["sh", "-c", "echo too long"], limit: 3) }
    }
}
