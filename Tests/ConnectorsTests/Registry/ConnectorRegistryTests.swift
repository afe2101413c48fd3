import Agent
import Envelope
import Node
import Testing

@testable import Connectors

@Suite("Connector registry")
struct ConnectorRegistryTests {
    private func node(_ text: String) throws -> YAMLNode {
        try YAMLNode.parse(Array(text.utf8), file: "agent.yaml")
    }

    @Test(
        "Good configurations make connectors",
        arguments: [
            "{kind: files, path: /data, mode: lines}",
            "{kind: files, path: /data, pattern: '*.csv', recursive: true, mode: csv, separator: ';', keyColumn: id, timeColumn: at, timeFormat: '%d.%m.%Y', after: move, moveTo: old}",
            "{kind: files, path: /data/x.bin, mode: whole, stableFor: 10s, chunkBytes: 4MiB}",
            "{kind: sql, connection: 'Driver=SQLite3;Database=/x', table: t, increasing: id, overlap: 30s}",
            "{kind: sql, connection: 'DSN=x', query: 'SELECT * FROM t', columns: [id, a], keyColumns: [a], increasing: id}",
            "{kind: synthetic, recordBytes: 128, rate: 1000, count: 5}",
        ])
    func sources(text: String) throws { _ = try ConnectorRegistry.makeSource(from: node(text), topic: "t") }

    @Test(
        "Good configurations make sinks",
        arguments: [
            "{kind: files, directory: /out}", "{kind: files, directory: /out, mode: whole, name: '{source}/{path}'}",
            "{kind: files, directory: /out, format: csv, name: '{topic}.csv'}",
            "{kind: sql, connection: 'DSN=x', table: t, write: upsert, key: [a, b], create: true}",
            "{kind: sql, connection: 'DSN=x', table: t, write: upsert, key: a}", "{kind: discard, statistics: /tmp/x}",
        ])
    func sinks(text: String) throws { _ = try ConnectorRegistry.makeSink(from: node(text)) }

    @Test(
        "What is wrong is named, and no password shown",
        arguments: [
            ("{kind: files, path: /data, mode: rows}", "mode"), ("{kind: files, mode: lines}", "path"),
            ("{kind: files, path: /d, mode: lines, keyColumn: a}", "keyColumn"),
            ("{kind: files, path: /d, mode: csv, seperator: ';'}", "separator"),
            ("{kind: files, path: /d, mode: csv, moveTo: ../x, after: move}", "moveTo"),
            ("{kind: sql, connection: 'PWD=topsecret', table: t}", "increasing"),
            ("{kind: sql, connection: 'PWD=topsecret', increasing: id}", "'table' or 'query'"),
            ("{kind: sql, connection: 'PWD=topsecret', table: t, increasing: id, columns: [a]}", "'id'"),
            ("{kind: sql, connection: 'PWD=topsecret', table: t, increasing: id, overlap: soon}", "overlap"),
            ("{kind: synthetic, recordBytes: 5}", "recordBytes"), ("{kind: kafka}", "files, sql"),
        ])
    func badSources(text: String, word: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            _ = try ConnectorRegistry.makeSource(from: node(text), topic: "t")
        }
        #expect(error.description.contains(word), "\(error)")
        #expect(!error.description.contains("topsecret"))
    }

    @Test(
        "Wrong sinks are named too",
        arguments: [
            ("{kind: files, directory: /d, name: '{tpoic}'}", "{topic}"),
            ("{kind: files, directory: /d, name: '{topic'}", "{topic}"),
            ("{kind: sql, connection: x, table: t, write: upsert}", "key"),
            ("{kind: discard, statistic: x}", "statistics"),
        ])
    func badSinks(text: String, word: String) throws {
        let error = try #require(throws: ConfigurationError.self) {
            _ = try ConnectorRegistry.makeSink(from: node(text))
        }
        #expect(error.description.contains(word), "\(error)")
    }

    @Test("A path may be a directory or a file")
    func directoryOrFile() throws {
        let directory = try TemporaryDirectory()
        try directory.write("1\n", to: "plain")
        try directory.write("2\n", to: "a.txt")
        for (path, values) in [
            ("", ["2", "1"]), ("/", ["2", "1"]), ("/plain", ["1"]), ("/a.txt", ["2"]), ("/b.txt", []),
        ] {
            let text = "{kind: files, path: '\(directory.path)\(path)', mode: lines}"
            let source = try ConnectorRegistry.makeSource(from: node(text), topic: "t")()
            #expect(try source.drain().values() == values)
        }
    }
}
