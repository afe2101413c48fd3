import Node

/// A topology report in a stable order, with every node that a link names.
struct MeshView: Sendable {
    struct Zone: Sendable {
        var name: String
        var nodes: [TopologyReport.Member]
    }

    /// By name, as are the nodes in them.
    var zones: [Zone]
    /// By the end that dials, then by the other.
    var links: [LinkReport]

    init(_ report: TopologyReport) {
        var members: [String: [String: TopologyReport.Member]] = [:]
        for zone in report.zones {
            members[zone.name, default: [:]].merge(zone.nodes.map { ($0.name, $0) }) { first, _ in first }
        }
        for name in report.links.flatMap({ [$0.from, $0.to] }) {
            let zone = Self.zone(of: name)
            if members[zone]?[name] == nil {
                members[zone, default: [:]][name] = TopologyReport.Member(name: name, role: "node", state: .unknown)
            }
        }
        zones = members.sorted { $0.key < $1.key }.map { zone in
            Zone(name: zone.key, nodes: zone.value.sorted { $0.key < $1.key }.map(\.value))
        }
        links = report.links.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    static func zone(of node: String) -> String { String(node.prefix { $0 != "/" }) }

    /// A node's name as seen from within a zone.
    static func name(of node: String, in zone: String) -> String {
        node.hasPrefix(zone + "/") ? String(node.dropFirst(zone.count + 1)) : node
    }
}
