import Node

/// A node's directory as `relayctl config render` makes it.
enum NodeDirectory {
    /// The node's own configuration in it.
    static let configuration = "node.yaml"

    /// The admin socket of a node.
    /// - Parameter path: its directory, or its configuration file.
    static func socket(_ path: String) throws(Failure) -> String { try load(path).adminSocket }

    /// A node's configuration.
    /// - Parameter path: its directory, or the file.
    static func load(_ path: String) throws(Failure) -> NodeConfiguration {
        let file = LocalFile.isDirectory(path) ? path + "/" + configuration : path
        guard LocalFile.exists(file) else {
            throw Failure(
                "there is no \(file)", hint: "give the directory of one node, as 'relayctl config render' made it")
        }
        do {
            return try NodeConfiguration.load(path: file)
        } catch {
            throw Failure(lines: error.problems.map(\.description), code: .badConfiguration)
        }
    }
}
