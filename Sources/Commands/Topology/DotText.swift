import Node

/// The mesh in the language of Graphviz.
enum DotText {
    static func write(_ mesh: MeshView) -> String {
        var lines = ["digraph mesh {", "  rankdir=LR;", "  node [shape=box, fontname=\"sans-serif\"];"]
        for (index, zone) in mesh.zones.enumerated() {
            lines += ["  subgraph cluster_\(index) {", "    label=\(quoted(zone.name));"]
            for node in zone.nodes {
                let label = quoted(
                    "\(MeshView.name(of: node.name, in: zone.name))\n\(node.role), \(node.state.rawValue)")
                let style = node.state == .up ? "solid" : "dashed"
                lines.append("    \(quoted(node.name)) [label=\(label), style=\(style)];")
            }
            lines.append("  }")
        }
        for link in mesh.links {
            let time = link.roundTripMicroseconds.map { " " + Quantity.roundTrip(microseconds: $0) } ?? ""
            let (colour, style) =
                switch link.state {
                case .up: ("black", "solid")
                case .half: ("orange", "dashed")
                case .down: ("red", "dotted")
                }
            let label = quoted(link.state.rawValue + time)
            lines.append(
                "  \(quoted(link.from)) -> \(quoted(link.to)) [label=\(label), color=\(colour), style=\(style)];")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result + "\""
    }
}
