import Crypto
import Envelope

/// One key epoch: the root of all keys and the root of all codes, in one record, so that they never get out of
/// step. Held by whoever makes grants; agents and relays never see one.
public struct KeyRecord: Sendable {
    /// Bytes of each root.
    public static let rootBytes = SharedSecret.size
    /// What the digest begins with, so that no other hash of this system can equal it.
    static let label = "gridrelay key record v1"

    /// Counts up by one at each rotation; the higher wins.
    public let generation: UInt64
    /// Who made it.
    public let creator: NodeName
    public let life: KeyLife
    public let digest: KeyDigest
    public var state: KeyState

    let keyRoot: SharedSecret
    let codeRoot: SharedSecret

    /// - Throws: ``CryptoError/wrongLength(what:expected:actual:)`` unless each root has ``rootBytes`` bytes.
    public init(
        generation: UInt64, creator: NodeName, life: KeyLife, state: KeyState = .active,
        keyRoot: consuming SecretBytes, codeRoot: consuming SecretBytes
    ) throws(CryptoError) {
        for count in [keyRoot.count, codeRoot.count] where count != KeyRecord.rootBytes {
            throw .wrongLength(what: "a root of a key record", expected: KeyRecord.rootBytes, actual: count)
        }
        self.generation = generation
        self.creator = creator
        self.life = life
        self.state = state
        self.keyRoot = SharedSecret(keyRoot)
        self.codeRoot = SharedSecret(codeRoot)
        digest = KeyRecord.digest(generation, creator, life, self.keyRoot, self.codeRoot)
    }

    public var id: KeyID { digest.id }

    /// SHA-256 of the label, all public fields and both roots; docs/protocol.md has the order.
    private static func digest(
        _ generation: UInt64, _ creator: NodeName, _ life: KeyLife, _ keyRoot: SharedSecret, _ codeRoot: SharedSecret
    ) -> KeyDigest {
        var hash = SHA256()
        hash.update(Array(label.utf8))
        let times = [life.created, life.notBefore, life.softEnd, life.hardEnd]
        for word in [generation] + times.map({ UInt64(bitPattern: $0.milliseconds) }) {
            withUnsafeBytes(of: word.littleEndian) { hash.update($0) }
        }
        let name = Array(creator.description.utf8)
        hash.update([UInt8(name.count)] + name)
        keyRoot.bytes.withUnsafeBytes { hash.update($0) }
        codeRoot.bytes.withUnsafeBytes { hash.update($0) }
        guard let digest = KeyDigest(hash.finish()) else { preconditionFailure("SHA-256 gives 32 bytes") }
        return digest
    }
}
