import Envelope

/// Where the files of one node lie once a topology is unfolded into a directory.
public struct TopologyLayout: Hashable, Sendable {
    static let storeName = "store"
    static let socketName = "admin.sock"
    static let certificateName = "certificate.pem"
    static let keyName = "key.pem"
    static let authorityName = "authority.pem"
    static let keysName = "keys.grant"

    public let node: NodeName
    /// `DIR/<zone>-<name>`: all else lies in it unless the topology says otherwise.
    public let directory: String
    /// As the node will read them.
    public let store: String
    public let adminSocket: String

    public var configuration: String { "\(directory)/node.yaml" }
    public var certificate: String { "\(directory)/\(Self.certificateName)" }
    public var key: String { "\(directory)/\(Self.keyName)" }
    public var authority: String { "\(directory)/\(Self.authorityName)" }
    /// The key file; agents only.
    public var keys: String { "\(directory)/\(Self.keysName)" }

    init(_ node: TopologyFile.Node, in parent: String) {
        self.node = node.name
        let directory = "\(parent.isEmpty ? "." : parent)/\(Self.directoryName(of: node.name))"
        self.directory = directory
        let settings = YAMLNode(.mapping(node.settings), mark: node.mark)
        let path = { (written: String?, standard: String) -> String in
            let path = written ?? standard
            return path.hasPrefix("/") ? path : "\(directory)/\(path)"
        }
        store = path(settings["store"]?["directory"]?.scalar?.text, Self.storeName)
        adminSocket = path(settings["admin"]?["socket"]?.scalar?.text, Self.socketName)
    }

    static func directoryName(of node: NodeName) -> String { "\(node.zone)-\(node.local)" }
}

extension TopologyFile {
    /// The places of all nodes' files below a directory, in the order of the file.
    /// - Throws: ``ConfigurationError`` where a socket's path would be too long for Linux.
    public func layout(in directory: String) throws(ConfigurationError) -> [TopologyLayout] {
        let layouts = nodes.map { TopologyLayout($0, in: directory) }
        let problems = zip(nodes, layouts).compactMap { node, layout -> ConfigurationProblem? in
            let length = layout.adminSocket.utf8.count
            guard length > NodeConfiguration.socketPathBytes else { return nil }
            return ConfigurationProblem(
                mark: node.mark, path: "zones.\(node.name.zone).nodes.\(node.name.local)",
                text: "its admin socket \(layout.adminSocket) has \(length) bytes, Linux allows "
                    + "\(NodeConfiguration.socketPathBytes); choose a shorter directory, or write admin: {socket: …} here"
            )
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return layouts
    }
}
