import Crypto
import Envelope
import Keyring

/// Sealing and opening, with contexts kept as an agent keeps them.
enum SealedParts {
    static func run(_ selection: Selection) {
        do { for size in [128, 1024, 65_536, 1 << 20] { try sealAndOpen(selection, size) } } catch {
            print("| sealing: \(error) | - |")
        }
    }

    private static func sealAndOpen(_ selection: Selection, _ size: Int) throws {
        let source = try NodeName("a/agent")
        let destination = try NodeName("b/agent")
        let year: Int64 = 365 * 86_400_000
        guard
            let life = KeyLife(
                created: WallTime(milliseconds: 0), notBefore: WallTime(milliseconds: 0),
                softEnd: WallTime(milliseconds: 100 * year), hardEnd: WallTime(milliseconds: 100 * year))
        else { return }
        let record = try KeyRecord(
            generation: 1, creator: source, life: life, keyRoot: SecretBytes(zeroed: 32),
            codeRoot: SecretBytes(zeroed: 32))
        var sending = Keychain(holder: source)
        try sending.insert(record.grant(to: source, for: [destination]))
        var receiving = Keychain(holder: destination)
        try receiving.insert(record.grant(to: destination, for: [source]))
        guard let keys = sending.sealing(for: NodeID(of: destination), at: WallTime(milliseconds: 1)) else { return }
        var sealer = Sealer(
            keys, from: NodeID(of: source), to: NodeID(of: destination), stream: StreamID(Bytes16(low: 5, high: 5)))
        var opener = Opener(receiving)
        let batch = [UInt8](repeating: 9, count: size)
        var output: [UInt8] = []
        var sequence = Sequence(1)
        let count = max(20, 20_000_000 / (size + 20_000))
        func seal() {
            output.removeAll(keepingCapacity: true)
            try? sealer.seal(
                batch, sequence: sequence, floor: Sequence(1), created: WallTime(milliseconds: 1), lifetime: 60,
                lane: .live, into: &output)
            sequence = sequence.next
        }
        selection.measure("seal \(size) B", count: count) { count in
            for _ in 0..<count { seal() }
        }
        seal()
        let envelope = output
        selection.measure("open \(size) B", count: count) { count in
            for _ in 0..<count { use(try? opener.open(envelope)) }
        }
    }
}
