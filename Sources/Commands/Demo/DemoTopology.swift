import Envelope
import Node

/// The demo's own copy of the project's topology.
enum DemoTopology {
    /// A link that is to lead through a forwarder.
    struct Detour: Sendable {
        var from: String
        var to: String
        /// Where the forwarder listens on loopback.
        var port: UInt16
    }

    /// - Parameters:
    ///   - text: the topology as the project has it.
    ///   - detours: links that dial a forwarder in place of their peer.
    ///   - plain: leaves compression out, so that a search for words of the data would find them wherever they
    ///     were not sealed.
    static func adapt(_ text: String, detours: [Detour], plain: Bool) throws(Failure) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for detour in detours {
            let ends = "{from: \(detour.from), to: \(detour.to)}"
            guard let index = lines.firstIndex(where: { $0.contains(ends) }) else {
                throw Failure("the demo's topology has no link \(ends)", hint: "restore topology/plant-dmz-plant.yaml")
            }
            lines[index].replace(
                ends,
                with: "{from: \(detour.from), to: \(detour.to), dial: {host: 127.0.0.1, port: \(detour.port)}}")
        }
        guard plain else { return lines.joined(separator: "\n") }
        return lines.map { line in
            let rest = line.drop { $0 == " " }
            // What stands in a job of its own line, next to its name.
            guard rest.hasPrefix("to: ") else { return line }
            return line + "\n" + line.prefix(line.count - rest.count) + "compression: none"
        }.joined(separator: "\n")
    }

    static func load(_ place: DemoPlace) throws(Failure) -> TopologyFile {
        try ConfigurationText.topology(place.topology)
    }

    /// The first port that a node listens on.
    static func port(of name: String, in topology: TopologyFile) throws(Failure) -> UInt16 {
        let node = topology.nodes.first { $0.name.description == name }
        guard let port = node?.listen.first.flatMap({ UInt16(exactly: $0.port) }) else {
            throw Failure("\(name) listens nowhere", hint: "restore topology/plant-dmz-plant.yaml")
        }
        return port
    }
}
