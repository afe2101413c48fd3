import Crypto
import Envelope
import Keyring

/// Keys of a simulated mesh: one epoch without end, made from the seed.
struct SimulatedKeys {
    private let record: KeyRecord

    init(_ random: SeededRandom) {
        var random = random
        func root() -> [UInt8] { (0..<KeyRecord.rootBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        let beginning = WallTime(milliseconds: 0)
        // The year 5138.
        let end = WallTime(milliseconds: 100_000_000_000_000)
        guard let life = KeyLife(created: beginning, notBefore: beginning, softEnd: end, hardEnd: end),
            let creator = try? NodeName("cloud/keeper"),
            let record = try? KeyRecord(
                generation: 1, creator: creator, life: life, state: .active, keyRoot: SecretBytes(copying: root()),
                codeRoot: SecretBytes(copying: root()))
        else { preconditionFailure("a key record of the right sizes can be made") }
        self.record = record
    }

    /// What an agent holds: the keys it shares with these peers.
    func keychain(of holder: NodeName, with peers: [NodeName]) -> Keychain {
        var keychain = Keychain(holder: holder)
        do throws(KeychainError) { try keychain.insert(record.grant(to: holder, for: peers)) } catch {
            preconditionFailure("a fresh keychain takes a grant: \(error)")
        }
        return keychain
    }
}
