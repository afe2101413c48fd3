import Testing

@testable import Node

/// The examples in docs/configuration.md are read as a person would write them down.
@Suite struct ConfigurationDocumentTests {
    private static let path =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        .joined(separator: "/") + "/docs/configuration.md"

    private static func blocks() throws(ConfigurationError) -> [String] {
        let text = String(decoding: try ConfigurationFile.read(path), as: UTF8.self)
        var blocks: [String] = []
        var block: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "```yaml" {
                block = []
            } else if line == "```", let lines = block {
                blocks.append(lines.joined(separator: "\n") + "\n")
                block = nil
            } else {
                block?.append(line)
            }
        }
        return blocks
    }

    @Test func everyExampleIsGood() throws {
        let environment = YAMLEnvironment(["PROXY_PASSWORD": "x", "ERP_PASSWORD": "x"])
        let rest = """
            node: plant-a/relay-1
            role: relay
            identity: {certificate: c, key: k, authority: a}
            store: {directory: s}
            listen: [{host: h, port: 1}]

            """
        let blocks = try Self.blocks()
        #expect(blocks.count == 5)
        for block in blocks {
            let text = block.hasPrefix("node:") ? block : rest + block
            let node = try NodeConfiguration.decode(Array(text.utf8), file: "example.yaml", environment: environment)
            #expect(!node.links.isEmpty || !node.flows.isEmpty)
        }
    }

    /// Every key a node's file can have stands in the tables.
    @Test func everyKeyIsThere() throws {
        let text = String(decoding: try ConfigurationFile.read(Self.path), as: UTF8.self)
        let samples = [NodeConfigurationTests.relay, NodeConfigurationTests.agent]
        for sample in samples {
            let node = try YAMLNode.parse(
                Array(sample.utf8), file: "f", environment: NodeConfigurationTests.environment)
            for key in Self.keys(of: node) { #expect(text.contains(key), "\(key) is not in docs/configuration.md") }
        }
    }

    private static func keys(of node: YAMLNode) -> Set<String> {
        switch node.content {
        case .scalar: []
        case .sequence(let items): items.reduce(into: []) { $0.formUnion(keys(of: $1)) }
        case .mapping(let entries): entries.reduce(into: []) { $0.formUnion(keys(of: $1.value).union([$1.key])) }
        }
    }
}
