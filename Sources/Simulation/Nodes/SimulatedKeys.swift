import Crypto
import Envelope
import Keyring

/// Keys of a simulated mesh: one epoch without end, made from the seed.
struct SimulatedKeys {
    private let record: KeyRecord
    private let roots: [[UInt8]]

    init(_ random: SeededRandom) {
        var random = random
        func root() -> [UInt8] { (0..<KeyRecord.rootBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        let roots = [root(), root()]
        let beginning = WallTime(milliseconds: 0)
        // The year 5138.
        let end = WallTime(milliseconds: 100_000_000_000_000)
        guard let life = KeyLife(created: beginning, notBefore: beginning, softEnd: end, hardEnd: end),
            let creator = try? NodeName("cloud/keeper"),
            let record = try? KeyRecord(
                generation: 1, creator: creator, life: life, state: .active, keyRoot: SecretBytes(copying: roots[0]),
                codeRoot: SecretBytes(copying: roots[1]))
        else { preconditionFailure("a key record of the right sizes can be made") }
        self.record = record
        self.roots = roots
    }

    /// Everything that must stay in memory: the roots, and what each pair of agents shares, as its file has it.
    func secrets(of agents: [NodeName]) -> [[UInt8]] {
        roots
            + agents.flatMap { agent in
                let grant = record.grant(to: agent, for: agents.filter { $0 != agent })
                let lines = String(decoding: grant.file, as: UTF8.self).split(separator: "\n")
                return lines.filter { $0.hasPrefix("peer: ") }.flatMap { line in
                    line.split(separator: " ").dropFirst(2).compactMap { Hexadecimal.decode($0) }
                }
            }
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
