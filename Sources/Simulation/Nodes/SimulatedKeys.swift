import Crypto
import Envelope
import Keyring

/// Keys of a simulated mesh, made from the seed: an epoch without end, and for every other seed a second one that begins
/// within the run. Clocks of nodes that are wrong take it up at other times, or go back to the first.
struct SimulatedKeys {
    private let records: [KeyRecord]
    private let roots: [[UInt8]]

    init(_ random: SeededRandom) {
        var random = random
        let beginnings =
            random.chance(0.5) ? [0, MachineClock.epoch + Int64(random.number(in: 1000...100_000))] : [0]
        var records: [KeyRecord] = []
        var roots: [[UInt8]] = []
        for beginning in beginnings {
            let pair = (0..<2).map { _ in
                (0..<KeyRecord.rootBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            }
            records.append(
                Self.record(UInt64(records.count) + 1, from: WallTime(milliseconds: beginning), pair[0], pair[1]))
            roots += pair
        }
        self.records = records
        self.roots = roots
    }

    private static func record(
        _ generation: UInt64, from beginning: WallTime, _ keyRoot: [UInt8], _ codeRoot: [UInt8]
    ) -> KeyRecord {
        // The year 5138.
        let end = WallTime(milliseconds: 100_000_000_000_000)
        guard let life = KeyLife(created: beginning, notBefore: beginning, softEnd: end, hardEnd: end),
            let creator = try? NodeName("cloud/keeper"),
            let record = try? KeyRecord(
                generation: generation, creator: creator, life: life, state: .active,
                keyRoot: SecretBytes(copying: keyRoot), codeRoot: SecretBytes(copying: codeRoot))
        else { preconditionFailure("a key record of the right sizes can be made") }
        return record
    }

    /// Everything that must stay in memory, and in whose: the roots with nobody here, and what each pair of agents shares,
    /// as its file has it, with the two.
    func secrets(of agents: [NodeName]) -> [SecretWatch.Secret] {
        var secrets = roots.map { SecretWatch.Secret(bytes: $0, knownTo: []) }
        for (record, agent) in records.flatMap({ record in agents.map { (record, $0) } }) {
            let grant = record.grant(to: agent, for: agents.filter { $0 != agent })
            for line in String(decoding: grant.file, as: UTF8.self).split(separator: "\n")
            where line.hasPrefix("peer: ") {
                let words = line.split(separator: " ").dropFirst()
                let peer = words.first.flatMap { try? NodeName($0) }
                secrets += words.dropFirst().compactMap { Hexadecimal.decode($0) }
                    .map { SecretWatch.Secret(bytes: $0, knownTo: [agent] + (peer.map { [$0] } ?? [])) }
            }
        }
        return secrets
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
