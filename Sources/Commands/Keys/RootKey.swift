import Crypto
import Envelope
import Keyring
import Node

/// The file of an epoch's root, and the grants made from it.
struct RootKey {
    /// Days until a new key is due where nobody says otherwise. Sealing ends after twice that.
    static let lifetimeDays = 365
    static let longestDays = 36_500
    /// Bytes of a key file: a grant has a line of some 200 bytes for each peer.
    private static let fileBytes = 16 << 20

    var record: KeyRecord

    init(path: String) throws(Failure) {
        let bytes = try LocalFile.read(path, limit: Self.fileBytes)
        do {
            record = try KeyRecord(file: bytes)
        } catch {
            throw Failure("\(path): \(error)", hint: "make a root key with relayctl key create")
        }
    }

    /// Makes a new root and its file.
    init(newAt path: String, days: Int, replaces: Bool, now: WallTime) throws(Failure) {
        let life = try Self.life(days: days, now: now)
        do {
            record = try KeyRecord(
                generation: 1, creator: NodeName("local/relayctl"), life: life,
                keyRoot: SecretBytes(random: KeyRecord.rootBytes), codeRoot: SecretBytes(random: KeyRecord.rootBytes))
        } catch {
            throw Failure("no key can be made: \(error)")
        }
        try LocalFile.makeParent(of: path)
        try LocalFile.write(record.file, to: path, mode: 0o600, replaces: replaces)
    }

    /// - Returns: the grant as it was written.
    func grant(to holder: NodeName, peers: [NodeName], path: String, replaces: Bool) throws(Failure) -> KeyGrant {
        let grant = record.grant(to: holder, for: peers)
        try LocalFile.makeParent(of: path)
        try LocalFile.write(grant.file, to: path, mode: 0o600, replaces: replaces)
        return grant
    }

    /// Whether a file already holds just this grant.
    func hasGrant(to holder: NodeName, peers: [NodeName], path: String) -> Bool {
        guard LocalFile.exists(path), let bytes = try? LocalFile.read(path, limit: Self.fileBytes) else { return false }
        return record.grant(to: holder, for: peers).file == bytes
    }

    private static func life(days: Int, now: WallTime) throws(Failure) -> KeyLife {
        let day: Int64 = 86_400_000
        // An hour early, so that a node whose clock is behind can use it at once.
        let life = KeyLife(
            created: now, notBefore: WallTime(milliseconds: now.milliseconds - day / 24),
            softEnd: WallTime(milliseconds: now.milliseconds + Int64(days) * day),
            hardEnd: WallTime(milliseconds: now.milliseconds + Int64(days) * 2 * day))
        guard let life else { throw Failure("the clock of this machine is off: it says \(now.rfc3339)") }
        return life
    }
}

extension TopologyFile {
    /// The agents that a flow lets speak with this one, in either direction.
    func peers(of holder: NodeName) -> [NodeName] {
        nodes.filter { $0.role == .agent && $0.name != holder }.map(\.name).filter { peer in
            flows.contains { $0.allows(from: holder, to: peer) || $0.allows(from: peer, to: holder) }
        }
    }
}
