import Envelope

@testable import Node

extension Target {
    private static let file = "/etc/gridrelay/node.yaml"
    private static let environment = YAMLEnvironment([
        "NAME": "plant-a/relay", "EMPTY": "", "LONG": String(repeating: "x", count: Limits.configurationValueBytes + 1),
    ])

    private static let relay = """
        node: plant-a/relay
        role: relay
        identity: {certificate: node.crt, key: node.key, authority: ca.crt}
        listen: [{host: "::", port: 7400}]
        links:
          - peer: dmz/relay
            dial: {host: dmz.example, port: 7400}
            cost: 5
            proxy: {host: p, port: 3128, user: u, password: w}
          - {peer: plant-a/agent, role: agent}
        attach: [plant-a/*]
        flows:
          - {name: rows, from: [plant-a/agent], to: [plant-b/*], lane: bulk, limit: 10MB/s}
        store: {directory: /store, maxBytes: 10GiB, segmentBytes: 64MiB}
        durability: storeFirst
        holdTime: {minimum: 20ms, maximum: 2s}
        memory: 32MiB
        admin: {socket: /run/a.sock}
        log: {level: debug, format: json}
        lifetime: 3d
        resendAfter: 10s

        """

    private static let agent = """
        node: ${NAME:-plant-a/agent}
        role: agent
        identity: {certificate: node.crt, key: node.key, authority: ca.crt}
        links: [{peer: plant-a/relay, dial: {host: 127.0.0.1, port: 7400}}]
        store: {directory: store}
        keys: grant.key
        jobs:
          - name: rows
            to: plant-b/agent
            topic: rows
            lane: bulk
            schedule: {cron: "*/5 * * * *"}
            compression: zlib
            batchBytes: 64KiB
            linger: 5ms
            lifetime: 1h
            source: {kind: files, path: in, mode: csv, columns: [a, "${EMPTY}"]}
          - {name: log, to: plant-b/agent, schedule: {onChange: true}, source: {kind: sql, query: ~}}
          - {name: quick, to: plant-c/agent, schedule: {every: 10ms}, source: {kind: synthetic}}
        sinks:
          - name: out
            topics: ["*"]
            from: [plant-b/*, plant-c/agent]
            onReject: quarantine
            sink: {kind: files, directory: out, mode: append, format: lines, name: "{topic}.log"}
          - {name: other, topics: [rows, log], sink: {kind: discard}}

        """

    /// Files with what no single key tells: names twice, ways to oneself, nobody who dials.
    private static let contradictions = [
        """
        node: plant-a/relay
        role: relay
        identity: {certificate: a, key: b, authority: c}
        listen: [{host: "::", port: 7400}, {host: "::", port: 7400}]
        links:
          - {peer: dmz/relay, dial: {host: dmz.example, port: 7400}}
          - {peer: dmz/relay, dial: {host: dmz.example, port: 7400}}
          - {peer: plant-a/relay}
        flows: [{name: rows, from: [plant-a/*], to: ['*']}, {name: rows, from: [plant-a/*], to: ['*']}]
        store: {directory: a}

        """,
        """
        node: plant-a/agent
        role: agent
        identity: {certificate: a, key: b, authority: c}
        attach: [plant-a/*]
        jobs:
          - {name: rows, to: plant-a/agent, source: {kind: files}}
          - {name: rows, to: plant-b/agent, source: {kind: files}}
        sinks:
          - {name: a, topics: [rows, "*"], from: [plant-b/*], sink: {kind: mailbox}}
          - {name: a, topics: [rows], from: [plant-b/agent], sink: {kind: mailbox}}
          - {name: b, topics: [rows, "*"], from: [plant-c/agent, '*'], sink: {kind: mailbox}}
        store: {directory: a}

        """,
        """
        node: plant-a/agent
        role: agent
        identity: {certificate: "", key: b, authority: c}
        listen: x
        links: [{peer: plant-a/relay}, {peer: plant-a/relay, dial: {host: "", port: 0}, cost: -1, proxy: {host: p, port: 1, password: w}}]
        jobs: [{name: rows, to: plant-a/agent, lane: control, schedule: {onChange: false}, source: {kind: file}}]
        sinks: [{name: out, topics: [], from: [], sink: [a]}]
        store: {directory: a, maxBytes: 100MiB, segmentBytes: 99999999999999999999GiB}
        holdTime: {minimum: 2s, maximum: 1s}
        memory: 12
        lifetime: 0s
        resendAfter: 99999999999999999999d
        admin: {socket: /a/very/long/path/of/a/socket/that/is/longer/than/linux/allows/for/the/path/of/a/socket/in/its/kernel/a.sock}
        cost: ${NONE}
        log: {level: loud, levl: info}

        """,
        """
        node: plant-a/agent
        role: agent
        identity: {certificate: c, key: b, authority: c}
        links: [{peer: plant-a/relay, dial: {host: h, port: -7}, proxy: {host: "", port: 1, user: "", password: ""}}]
        jobs: [{name: "", to: plant-b/agent, schedule: {onChange: maybe}, source: {a: [1, "${NONE}"]}}]
        flows: [{name: rows, from: [plant-a/*], to: ['*'], limit: 10}]
        store: {directory: a, maxBytes: 1B}

        """,
    ]

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

    /// Meshes with what no single key tells.
    private static let tangles = [
        """
        mesh: tangle
        defaults: {admin: {socket: /run/a.sock}, store: {directory: /var/one}}
        zones:
          a:
            nodes:
              relay: {role: relay, listen: [{host: 0.0.0.0, port: 1}], attach: [b/*]}
              deaf: {role: relay}
              agent:
                role: agent
                attach: [a/*]
                keys: k
                jobs:
                  - {name: one, to: a/relay, source: {kind: files, path: in}}
                  - {name: two, to: b/agent, lane: bulk, source: {kind: files, path: in}}
                  - {name: three, to: c/agent, source: {kind: files, path: in}}
                  - {name: four, to: x/nobody, source: {kind: files, path: in}}
          b:
            nodes:
              relay: {role: relay, listen: [{host: b, port: 1}], address: {host: proxy, port: 2}}
              agent: {role: agent, sinks: [{name: s, topics: [two], sink: {kind: mailbox}}]}
          c: {nodes: {agent: {role: agent}, relay: {role: relay, listen: [{host: c, port: 1}]}}}
        links:
          - {from: a/agent, to: a/relay}
          - {from: a/relay, to: a/relay}
          - {from: a/agent, to: b/agent}
          - {from: b/agent, to: b/relay, proxy: {host: p, port: 1}}
          - {from: b/relay, to: a/relay, dial: {host: d, port: 4}}
          - {from: a/relay, to: a/deaf}
          - {from: b/relay, to: a/relay}
        flows:
          - {name: rows, from: [a/*], to: [b/*], lane: live}
          - {name: rows, from: [a/agent], to: [c/agent]}
          - {name: none, from: [y/*], to: ['*']}

        """,
        """
        mesh: faults
        zones:
          a:
            nodes:
              relay: {role: relay, listen: [{host: 0.0.0.0, port: 1}], store: {directory: /var/one}}
              deaf: {role: relay, store: {directory: /var/one}}
              agent: {role: agent, attach: [a/*]}
              other: {role: agent, admin: {socket: /run/b.sock}}
        links:
          - {from: a/agent, to: a/relay}
          - {from: a/other, to: a/deaf}
          - {from: a/relay, to: a/relay}
          - {from: a/agent, to: a/other}
          - {from: a/deaf, to: a/relay}
        flows: [{name: rows, from: [a/*], to: ['*']}, {name: rows, from: [a/*], to: [a/agent]}]

        """,
        """
        mesh: long
        zones:
          a:
            nodes:
              relay:
                role: relay
                listen: [{host: a, port: 1}]
                store: {directory: /var/one}
                admin: {socket: a-socket-whose-path-is-as-long-as-no-path-of-a-socket-may-be-on-linux/and-some-more/a.sock}

        """,
        """
        mesh: apart
        zones:
          a:
            nodes:
              relay: {role: relay, listen: [{host: a, port: 1}], attach: [a/*], admin: {socket: s}}
              agent:
                role: agent
                jobs:
                  - {name: one, to: b/agent, lane: bulk, source: {kind: files, path: in}}
                  - {name: two, to: b/relay, source: {kind: files, path: in}}
          b:
            nodes:
              relay: {role: relay, listen: [{host: b, port: 1}], address: {host: n, port: 3}}
              agent: {role: agent, sinks: [{name: s, topics: [one], sink: {kind: mailbox}}]}
        links: [{from: a/agent, to: a/relay, dial: {host: a, port: 9}}, {from: b/agent, to: b/relay}]
        flows: [{name: rows, from: [a/*], to: [b/*], lane: live}]

        """,
    ]

    static let yaml = Target(
        "yaml", "YAML, read and written again",
        seeds: {
            [
                "a: 1\nb: [x, 'y', \"z\\n\"]\n", "- |\n  text\n- >\n  folded\n- {}\n",
                "a: ${NAME}\nb: $${x}\nc: ${NO:-d}\n", relay, "a: ${LONG}\n", "a: ${PATH}\n",
            ]
            .enumerated().map { ("yaml-\($0.offset)", Array($0.element.utf8)) }
        },
        run: { input in
            // As a daemon does it. What it holds is not ours to say.
            if input.count < 64 { _ = try? YAMLNode.parse(Array(input), file: file, environment: .process) }
            do throws(ConfigurationError) {
                let node = try YAMLNode.parse(Array(input), file: file, environment: environment)
                guard isWhole(node), case .mapping = node.content else { return }
                let text = YAMLWriter.write(node)
                let same = try YAMLNode.parse(Array(text.utf8), file: file, environment: environment)
                require(same == node, "YAML is read as written: \(text)")
                require(same.hashValue == node.hashValue, "what is equal has equal hashes")
                require("\(YAMLNode.made) \(node.mark)".contains(":"), "a mark names a place")
                let made = YAMLNode.mapping([
                    ("list", .list([node])), ("text", .text(String(decoding: input.prefix(64), as: UTF8.self))),
                    ("none", nil),
                ])
                let writable = YAMLWriter.write(made)
                let built = try? YAMLNode.parse(Array(writable.utf8), file: file, environment: environment)
                require(built == nil || built == made, "what is made is read as written: \(writable)")
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
        seeds: {
            [("relay", Array(relay.utf8)), ("agent", Array(agent.utf8))]
                + contradictions.enumerated().map { ("contradiction-\($0.offset)", Array($0.element.utf8)) }
        },
        run: { input in
            do throws(ConfigurationError) {
                let configuration = try NodeConfiguration.decode(Array(input), file: file, environment: environment)
                _ = try NodeConfiguration.decode(Array(input), file: "/node.yaml", environment: environment)
                _ = try NodeConfiguration.decode(Array(input), file: "node.yaml", environment: environment)
                require((configuration.role == .agent) == (configuration.agent != nil), "an agent is one in all parts")
                require(
                    configuration.adminSocket.utf8.count <= NodeConfiguration.socketPathBytes, "a socket's path fits")
                require(
                    configuration.store.segmentBytes * 4 <= configuration.store.maxBytes, "a store has its segments")
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
        })

    static let topology = Target(
        "topology", "a mesh's topology file, and the nodes' files made from it", longest: 8192,
        seeds: {
            [("zones", Array(zones.utf8))]
                + tangles.enumerated().map { ("tangle-\($0.offset)", Array($0.element.utf8)) }
        },
        run: { input in
            let topology: TopologyFile
            do throws(ConfigurationError) {
                topology = try TopologyFile.decode(Array(input), file: file, environment: environment)
                // The second is where the files below are read: a path that fits another place may be too long there.
                for place in try topology.layout(in: "") + topology.layout(in: "/etc/gridrelay") {
                    let files = [place.configuration, place.certificate, place.key, place.authority, place.keys]
                    require(Set(files).count == 5, "each file has a place of its own")
                    require(files.allSatisfy { $0.hasPrefix(place.directory + "/") }, "it lies with its node's others")
                }
                require(Set(topology.zones).count == topology.zones.count, "a zone is named once")
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
