import Crypto
import Envelope

/// The secrets of one pair of nodes in one epoch.
public struct PairKeys: Sendable {
    public let digest: KeyDigest
    let key: SharedSecret
    let code: SharedSecret

    public var id: KeyID { digest.id }
}

/// All grants of one node: finds the secrets to seal with and to open with.
///
/// Invariant: the grants' short ids differ, so that the id in a header names one epoch.
public struct Keychain: Sendable {
    public let holder: NodeName
    public let holderID: NodeID

    // Sorted by (generation, digest), so that the last fit is the winner.
    private var grants: [KeyGrant] = []
    private var pairs: [KeyID: [NodeID: PairKeys]] = [:]

    public init(holder: NodeName) {
        self.holder = holder
        holderID = NodeID(of: holder)
    }

    /// The epochs in rising order of (generation, digest).
    public var epochs: [(digest: KeyDigest, generation: UInt64, life: KeyLife, state: KeyState)] {
        grants.map { ($0.digest, $0.generation, $0.life, $0.state) }
    }

    /// All nodes with whom the holder shares a key, in the order of their names.
    public var peers: [NodeName] { Set(grants.flatMap(\.peers)).sorted() }

    /// Takes a grant in. For an epoch that is here already the peers are those of the new grant and the state is
    /// the later one.
    /// - Throws: ``KeychainError``; nothing has changed then.
    public mutating func insert(_ grant: KeyGrant) throws(KeychainError) {
        guard grant.holder == holder else { throw .wrongHolder(grant.holder, expected: holder) }
        guard !grants.contains(where: { $0.id == grant.id && $0.digest != grant.digest }) else {
            throw .clashingIDs(grant.id)
        }
        var grant = grant
        if let known = grants.firstIndex(where: { $0.digest == grant.digest }) {
            grant.state = max(grant.state, grants[known].state)
            grants.remove(at: known)
        }
        if !grant.state.canOpen { grant = grant.withoutSecrets }
        grants.append(grant)
        grants.sort { ($0.generation, $0.digest) < ($1.generation, $1.digest) }
        index(grant)
    }

    /// Moves an epoch on in its life; an earlier state changes nothing. At `destroyed` its secrets are let go.
    /// - Returns: whether the epoch is here.
    @discardableResult
    public mutating func advance(_ id: KeyID, to state: KeyState) -> Bool {
        guard let place = grants.firstIndex(where: { $0.id == id }) else { return false }
        grants[place].state = max(grants[place].state, state)
        if !grants[place].state.canOpen { grants[place] = grants[place].withoutSecrets }
        index(grants[place])
        return true
    }

    /// The secrets to seal with for `peer`: of the newest epoch that may seal now and in which `peer` has a part.
    /// nil where there is none.
    public func sealing(for peer: NodeID, at now: WallTime) -> PairKeys? {
        let usable = grants.last {
            $0.state.canSeal && $0.life.notBefore <= now && now < $0.life.hardEnd && pairs[$0.id]?[peer] != nil
        }
        return usable.flatMap { pairs[$0.id]?[peer] }
    }

    /// When ``sealing(for:at:)`` may have another answer than it has now.
    public func nextChange(after now: WallTime) -> WallTime {
        let times = grants.flatMap { [$0.life.notBefore, $0.life.hardEnd] }
        return times.filter { $0 > now }.min() ?? WallTime(milliseconds: .max)
    }

    /// The secrets to open with, of the epoch that a header names.
    public func opening(_ id: KeyID, from peer: NodeID) throws(OpenError) -> PairKeys {
        // A destroyed epoch has no pairs, so that what is found here may open.
        if let pair = pairs[id]?[peer] { return pair }
        guard let grant = grants.first(where: { $0.id == id }) else { throw .unknownKey(id) }
        throw grant.state.canOpen ? .unknownSource(peer) : .destroyedKey(id)
    }

    private mutating func index(_ grant: KeyGrant) {
        var known: [NodeID: PairKeys] = [:]
        for pair in grant.pairs {
            known[NodeID(of: pair.peer)] = PairKeys(
                digest: grant.digest, key: pair.key, code: pair.code)
        }
        pairs[grant.id] = known
    }
}

extension KeyGrant {
    fileprivate var withoutSecrets: KeyGrant {
        KeyGrant(holder: holder, digest: digest, generation: generation, life: life, state: state, pairs: [])
    }
}

/// Why a grant is not taken in.
public enum KeychainError: Error, Equatable, Sendable, CustomStringConvertible {
    case wrongHolder(NodeName, expected: NodeName)
    case clashingIDs(KeyID)

    public var description: String {
        switch self {
        case .wrongHolder(let holder, let expected):
            "the key grant is for \(holder), not for \(expected); make one with 'relayctl key create' for \(expected)"
        case .clashingIDs(let id):
            "two key epochs have the same short id \(id); make a new key, which will have another"
        }
    }
}
