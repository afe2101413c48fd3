import Node

/// The nodes by zone, each with its links:
///
///     dmz
///     └─ relay  relay  up
///          ◀── plant-a/relay  up  0.82 ms
struct NodeTree {
    private let mesh: MeshView
    private let glyphs: Glyphs
    private let nameWidth: Int
    private let roleWidth: Int
    private let peerWidth: Int

    init(_ mesh: MeshView, _ glyphs: Glyphs) {
        self.mesh = mesh
        self.glyphs = glyphs
        let nodes = mesh.zones.flatMap { zone in zone.nodes.map { (MeshView.name(of: $0.name, in: zone.name), $0.role) }
        }
        nameWidth = nodes.map { $0.0.count }.max() ?? 0
        roleWidth = nodes.map { $0.1.count }.max() ?? 0
        peerWidth =
            mesh.links.flatMap { link in
                let (from, to) = (MeshView.zone(of: link.from), MeshView.zone(of: link.to))
                return [MeshView.name(of: link.to, in: from).count, MeshView.name(of: link.from, in: to).count]
            }.max() ?? 0
    }

    var lines: [Line] { mesh.zones.flatMap(lines) }

    static func tone(of condition: Glyphs.Condition) -> Tone {
        switch condition {
        case .up: .good
        case .partly: .warning
        case .down: .bad
        }
    }

    private func lines(of zone: MeshView.Zone) -> [Line] {
        var lines = [Line(zone.name, .strong)]
        for (index, node) in zone.nodes.enumerated() {
            let isLast = index == zone.nodes.count - 1
            lines.append(Line(isLast ? glyphs.lastBranch : glyphs.branch, .dim) + heading(of: node, in: zone.name))
            let margin = Line(isLast ? String(repeating: " ", count: glyphs.trunk.count) : glyphs.trunk, .dim)
            let dialled = mesh.links.filter { $0.from == node.name }.map { link($0, peer: $0.to, zone.name) }
            let listened = mesh.links.filter { $0.to == node.name }.map { link($0, peer: $0.from, zone.name) }
            lines += (dialled + listened).map { margin + Line("  ") + $0 }
        }
        return lines
    }

    private func heading(of node: TopologyReport.Member, in zone: String) -> Line {
        var line = Line(padded(MeshView.name(of: node.name, in: zone), nameWidth), .strong)
        line += Line("  " + padded(node.role, roleWidth) + "  ")
        line += Line(node.state.rawValue, Topology.tone(of: node.state.rawValue))
        var facts: [String] = []
        if let bytes = node.storedBytes, bytes > 0 { facts.append("stores \(Quantity.bytes(bytes))") }
        if let parked = node.parkedEnvelopes, parked > 0 { facts.append("\(Quantity.count(parked)) parked") }
        return facts.isEmpty ? line : line + Line("  " + facts.joined(separator: ", "), .warning)
    }

    private func link(_ link: LinkReport, peer: String, _ zone: String) -> Line {
        let condition: Glyphs.Condition = link.state == .up ? .up : link.state == .down ? .down : .partly
        let dials = link.to == peer
        var line = Line(glyphs.arrow(toRight: dials, toLeft: !dials, condition), Self.tone(of: condition))
        line += Line(" " + padded(MeshView.name(of: peer, in: zone), peerWidth) + "  ")
        line += Line(link.state.rawValue, Topology.tone(of: link.state.rawValue))
        var facts: [String] = []
        if let time = link.roundTripMicroseconds { facts.append(Quantity.roundTrip(microseconds: time)) }
        if let reason = link.reason { facts.append(reason) }
        // What waits at this end, to go to the other.
        let (envelopes, bytes) =
            dials
            ? (link.envelopesQueuedForward, link.bytesQueuedForward) : (link.envelopesQueuedBack, link.bytesQueuedBack)
        if envelopes > 0 { facts.append("\(Quantity.count(envelopes)) waiting (\(Quantity.bytes(bytes)))") }
        return facts.isEmpty ? line : line + Line("  " + facts.joined(separator: ", "))
    }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
