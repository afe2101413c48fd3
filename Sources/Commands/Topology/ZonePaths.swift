import Node

/// The zones as a few paths that together run over every border once, such as
///
///     plant-a ──▶ dmz ◀── plant-b
///     plant-c ──▶ dmz
///
/// A ring comes back to the zone it began with. Any graph can be written so.
struct ZonePaths {
    /// Two zones with links between them; `left` < `right`.
    private struct Border: Hashable {
        var left: String
        var right: String
    }

    private let mesh: MeshView
    private let glyphs: Glyphs
    private let crossings: [Border: [LinkReport]]

    init(_ mesh: MeshView, _ glyphs: Glyphs) {
        self.mesh = mesh
        self.glyphs = glyphs
        let crossing = mesh.links.filter { MeshView.zone(of: $0.from) != MeshView.zone(of: $0.to) }
        crossings = Dictionary(grouping: crossing) { Self.border(MeshView.zone(of: $0.from), MeshView.zone(of: $0.to)) }
    }

    var lines: [Line] {
        var open = Set(crossings.keys)
        var lines: [Line] = []
        while let start = start(in: open) { lines.append(path(from: start, over: &open)) }
        let connected = Set(crossings.keys.flatMap { [$0.left, $0.right] })
        lines += mesh.zones.filter { !connected.contains($0.name) }.map { Line($0.name, .strong) }
        return lines
    }

    private static func border(_ one: String, _ other: String) -> Border {
        Border(left: min(one, other), right: max(one, other))
    }

    private func neighbours(of zone: String, in open: Set<Border>) -> [String] {
        open.compactMap { $0.left == zone ? $0.right : $0.right == zone ? $0.left : nil }.sorted()
    }

    /// An end of the graph if there is one, else a zone with an odd number of borders, where a path must end
    /// anyhow; the first by name.
    private func start(in open: Set<Border>) -> String? {
        func rank(_ zone: String) -> Int {
            let count = neighbours(of: zone, in: open).count
            return count == 1 ? 0 : count % 2 == 1 ? 1 : 2
        }
        let zones = Set(open.flatMap { [$0.left, $0.right] })
        return zones.min { (rank($0), $0) < (rank($1), $1) }
    }

    private func path(from start: String, over open: inout Set<Border>) -> Line {
        var line = Line(start, .strong)
        var zone = start
        while let next = neighbours(of: zone, in: open).first {
            open.remove(Self.border(zone, next))
            line += Line(" ") + arrow(from: zone, to: next) + Line(" ") + Line(next, .strong)
            zone = next
        }
        return line
    }

    private func arrow(from left: String, to right: String) -> Line {
        let links = crossings[Self.border(left, right)] ?? []
        let up = links.count { $0.state == .up }
        let condition: Glyphs.Condition =
            up == links.count ? .up : links.allSatisfy { $0.state == .down } ? .down : .partly
        let sign = glyphs.arrow(
            toRight: links.contains { MeshView.zone(of: $0.from) == left },
            toLeft: links.contains { MeshView.zone(of: $0.from) == right }, condition)
        return Line(sign, NodeTree.tone(of: condition))
    }
}
