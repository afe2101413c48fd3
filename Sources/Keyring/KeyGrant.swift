import Crypto
import Envelope

/// What one agent gets of an epoch: the secrets it shares with each of its peers, and nothing from which another
/// pair's could be made.
public struct KeyGrant: Sendable {
    /// The secrets of a pair of nodes.
    struct Pair: Sendable {
        let peer: NodeName
        let key: SharedSecret
        let code: SharedSecret
    }

    /// For whom it was made.
    public let holder: NodeName
    public let digest: KeyDigest
    public let generation: UInt64
    public let life: KeyLife
    public var state: KeyState

    let pairs: [Pair]

    public var id: KeyID { digest.id }

    /// With whom the holder may speak, in the order of their names.
    public var peers: [NodeName] { pairs.map(\.peer) }
}

extension KeyRecord {
    /// Derives what `holder` needs to speak with `peers`; naming one twice is as naming it once.
    public func grant(to holder: NodeName, for peers: [NodeName]) -> KeyGrant {
        let pairs = Set(peers).sorted().map { peer in
            let ids = (NodeID(of: holder), NodeID(of: peer))
            return KeyGrant.Pair(
                peer: peer,
                key: SharedSecret(Derivation.pair(keyRoot, Derivation.pairKeyLabel, ids.0, ids.1)),
                code: SharedSecret(Derivation.pair(codeRoot, Derivation.pairCodeLabel, ids.0, ids.1)))
        }
        return KeyGrant(
            holder: holder, digest: digest, generation: generation, life: life, state: state, pairs: pairs)
    }
}
