import Crypto
import Envelope
import Node

/// The directory of a rendered mesh; makes what is missing in it.
struct MeshDirectory {
    /// What must stay off the nodes.
    static let authorityName = "authority"
    static let rootKeyName = "root.key"

    private let topology: TopologyFile
    private let layouts: [TopologyLayout]
    private let directory: String
    private let authority: MeshAuthority
    private let now: WallTime
    /// nil in a mesh without agents.
    private var rootKey: RootKey?
    private(set) var report: RenderReport

    init(_ directory: String, _ topology: TopologyFile, now: WallTime) throws(Failure) {
        (self.directory, self.topology, self.now) = (directory, topology, now)
        do {
            layouts = try topology.layout(in: directory)
        } catch {
            throw ConfigurationText.failure(error)
        }
        report = RenderReport(mesh: topology.name, directory: directory)
        let secrets = directory + "/" + Self.authorityName
        try LocalFile.makeDirectory(directory)
        let hasAuthority = LocalFile.exists(secrets + "/" + MeshAuthority.keyFile)
        authority =
            hasAuthority
            ? try MeshAuthority(directory: secrets)
            : try MeshAuthority(newIn: secrets, days: MeshAuthority.authorityDays, replaces: false, now: now)
        note(secrets + "/" + MeshAuthority.keyFile, hasAuthority ? "kept" : "made")
        if topology.nodes.contains(where: { $0.role == .agent }) {
            let path = secrets + "/" + Self.rootKeyName
            let hasKey = LocalFile.exists(path)
            rootKey =
                hasKey
                ? try RootKey(path: path)
                : try RootKey(newAt: path, days: RootKey.lifetimeDays, replaces: false, now: now)
            note(path, hasKey ? "kept" : "made")
        }
    }

    /// Makes what a node lacks.
    mutating func prepare(_ name: NodeName) throws(Failure) {
        guard let layout = layouts.first(where: { $0.node == name }), let node = topology[name] else {
            throw Failure("\(topology.file) has no node \(name)")
        }
        try LocalFile.makeDirectory(layout.directory)
        try identify(layout)
        if node.role == .agent { try grant(layout) }
        // Last, so that a node that has its configuration has all that this names.
        try configure(layout)
    }

    private mutating func identify(_ layout: TopologyLayout) throws(Failure) {
        let files = NodeIdentityFiles(layout)
        let wasThere = LocalFile.exists(files.certificate)
        if wasThere, authority.covers(layout.node, files, now: now) {
            note(files.certificate, "kept")
            return
        }
        // Half a pair, or one that the mesh no longer trusts, is of no use to anybody.
        _ = try authority.issue(to: layout.node, files, days: MeshAuthority.nodeDays, replaces: true, now: now)
        note(files.certificate, wasThere ? "changed" : "made")
    }

    private mutating func grant(_ layout: TopologyLayout) throws(Failure) {
        guard let rootKey else { return }
        let peers = topology.peers(of: layout.node)
        if rootKey.hasGrant(to: layout.node, peers: peers, path: layout.keys) {
            note(layout.keys, "kept")
            return
        }
        let wasThere = LocalFile.exists(layout.keys)
        _ = try rootKey.grant(to: layout.node, peers: peers, path: layout.keys, replaces: true)
        note(layout.keys, wasThere ? "changed" : "made")
    }

    private mutating func configure(_ layout: TopologyLayout) throws(Failure) {
        let text: [UInt8]
        do {
            text = Array(try topology.render(node: layout.node).utf8)
        } catch {
            throw ConfigurationText.failure(error)
        }
        let path = layout.configuration
        let wasThere = LocalFile.exists(path)
        if wasThere, try LocalFile.read(path, limit: Limits.configurationBytes) == text {
            note(path, "kept")
            return
        }
        try LocalFile.write(text, to: path, mode: 0o600, replaces: true)
        note(path, wasThere ? "changed" : "made")
    }

    private mutating func note(_ path: String, _ action: String) {
        report.files.append(.init(path: path, action: action))
    }
}
