import Crypto
import Envelope
import Keyring

/// Keys of a simulated mesh, made from the seed: an epoch without end, and for every other seed a second one that begins
/// within the run. Clocks of nodes that are wrong take it up at other times, or go back to the first.
struct SimulatedKeys {
    private let records: [KeyRecord]

    init(_ random: SeededRandom) {
        var random = random
        let beginnings =
            random.chance(0.5) ? [0, MachineClock.epoch + Int64(random.number(in: 1000...100_000))] : [0]
        records = beginnings.enumerated().map { number, beginning in
            Self.record(UInt64(number) + 1, from: WallTime(milliseconds: beginning), &random)
        }
    }

    private static func record(
        _ generation: UInt64, from beginning: WallTime, _ random: inout SeededRandom
    ) -> KeyRecord {
        func root() -> [UInt8] { (0..<KeyRecord.rootBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        // The year 5138.
        let end = WallTime(milliseconds: 100_000_000_000_000)
        guard let life = KeyLife(created: beginning, notBefore: beginning, softEnd: end, hardEnd: end),
            let creator = try? NodeName("cloud/keeper"),
            let record = try? KeyRecord(
                generation: generation, creator: creator, life: life, state: .active,
                keyRoot: SecretBytes(copying: root()),
                codeRoot: SecretBytes(copying: root()))
        else { preconditionFailure("a key record of the right sizes can be made") }
        return record
    }

    /// What an agent holds: the keys it shares with these peers.
    func keychain(of holder: NodeName, with peers: [NodeName]) -> Keychain {
        var keychain = Keychain(holder: holder)
        for record in records {
            do throws(KeychainError) { try keychain.insert(record.grant(to: holder, for: peers)) } catch {
                preconditionFailure("a fresh keychain takes a grant: \(error)")
            }
        }
        return keychain
    }
}
