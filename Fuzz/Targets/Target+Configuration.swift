import Envelope

@testable import Node

extension Target {
    private static let file = "/etc/gridrelay/node.yaml"
    private static let environment = YAMLEnvironment(["NAME": "plant-a/relay", "EMPTY": ""])

    private static let relay = """
        node: plant-a/relay
        role: relay
        identity: {certificate: node.crt, key: node.key, authority: ca.crt}
        listen: [{host: "::", port: 7400}]
        links:
          - {peer: dmz/relay, host: dmz.example, port: 7400, cost: 5, proxy: {host: p, port: 3128}}
        attach: [plant-a/*]
        flows:
          - {name: rows, from: [plant-a/agent], to: [plant-b/*], lane: bulk}
        store: {directory: store, maxBytes: 10GiB}
        holdTime: {minimum: 20ms, maximum: 2s}
        log: {level: debug, format: json}

        """

    private static let agent = """
        node: ${NAME:-plant-a/agent}
        role: agent
        identity: {certificate: node.crt, key: node.key, authority: ca.crt}
        links: [{peer: plant-a/relay, host: 127.0.0.1, port: 7400}]
        store: {directory: store}
        keys: [grant.key]
        jobs:
          - name: rows
            to: plant-b/agent
            topic: rows
            schedule: {cron: "*/5 * * * *"}
            source: {kind: files, path: in, mode: csv}
        sinks:
          - name: out
            topics: ["*"]
            from: [plant-b/*]
            sink: {kind: files, directory: out, mode: append, format: lines, name: "{topic}.log"}

        """

    private static let zones = """
        mesh: two
        zones:
          plant-a:
            nodes:
              relay: {role: relay, listen: [{host: 127.0.0.1, port: 17501}]}
              agent:
                role: agent
                jobs:
                  - {name: log, to: plant-b/agent, schedule: {onChange: true}, source: {kind: files, path: in}}
          plant-b:
            nodes:
              relay: {role: relay, listen: [{host: 127.0.0.1, port: 17502}]}
              agent: {role: agent, sinks: [{name: logs, topics: [log], sink: {kind: files, directory: out}}]}
        links:
          - {from: plant-a/relay, to: plant-b/relay}
          - {from: plant-a/agent, to: plant-a/relay}
          - {from: plant-b/agent, to: plant-b/relay}
        flows:
          - {name: rows, from: [plant-a/*], to: [plant-b/*]}

        """

    static let yaml = Target(
        "yaml", "YAML, read and written again",
        seeds: {
            [
                "a: 1\nb: [x, 'y', \"z\\n\"]\n", "- |\n  text\n- >\n  folded\n- {}\n",
                "a: ${NAME}\nb: $${x}\nc: ${NO:-d}\n", relay,
            ]
            .enumerated().map { ("yaml-\($0.offset)", Array($0.element.utf8)) }
        },
        run: { input in
            do throws(ConfigurationError) {
                let node = try YAMLNode.parse(Array(input), file: file, environment: environment)
                guard isWhole(node), case .mapping = node.content else { return }
                let text = YAMLWriter.write(node)
                let same = try YAMLNode.parse(Array(text.utf8), file: file, environment: environment)
                require(same == node, "YAML is read as written: \(text)")
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
        })

    /// False where a scalar could not be expanded.
    private static func isWhole(_ node: YAMLNode) -> Bool {
        switch node.content {
        case .scalar(let scalar): scalar.problem == nil
        case .sequence(let items): items.allSatisfy(isWhole)
        case .mapping(let entries): entries.allSatisfy { isWhole($0.value) }
        }
    }

    static let configuration = Target(
        "configuration", "a node's configuration file",
        seeds: { [("relay", Array(relay.utf8)), ("agent", Array(agent.utf8))] },
        run: { input in
            do throws(ConfigurationError) {
                _ = try NodeConfiguration.decode(Array(input), file: file, environment: environment)
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
        })

    static let topology = Target(
        "topology", "a mesh's topology file, and the nodes' files made from it", longest: 8192,
        seeds: { [("zones", Array(zones.utf8))] },
        run: { input in
            let topology: TopologyFile
            do throws(ConfigurationError) {
                topology = try TopologyFile.decode(Array(input), file: file, environment: environment)
                _ = try topology.layout(in: "/tmp")
            } catch {
                return require(!error.description.isEmpty, "an error says something")
            }
            // Variables of jobs and sinks are for the nodes' own machines to set.
            for node in topology.nodes where !input.contains(UInt8(ascii: "$")) {
                do throws(ConfigurationError) {
                    let text = try topology.render(node: node.name)
                    _ = try NodeConfiguration.decode(Array(text.utf8), file: file, environment: environment)
                } catch {
                    require(false, "a node's file made from a topology is good: \(error)")
                }
            }
        })
}
