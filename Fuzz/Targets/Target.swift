import Synchronization

/// One thing that takes bytes from outside, made ready to be fed with any bytes at all.
///
/// The same function runs under libFuzzer (`scripts/fuzz.sh`) and over the checked-in corpus (`FuzzReplayTests`).
public struct Target: Sendable {
    /// A seed: an input that a target understands, and the file name it has in the corpus.
    public typealias Seed = (name: String, bytes: [UInt8])

    /// Its name on the command line, and the name of its corpus.
    public let name: String
    /// What it tries, in a line.
    public let summary: String
    /// Bytes of the longest input worth trying.
    public let longest: Int
    /// Takes one input. It returns whatever the input is, and traps where a promise does not hold. Who comes meanwhile
    /// waits: some targets have a node or a server that lives as long as the process.
    public let run: @Sendable (UnsafeRawBufferPointer) -> Void
    /// Makes the first inputs of the corpus. What it makes is the same each time.
    public let seeds: @Sendable () -> [Seed]

    init(
        _ name: String, _ summary: String, longest: Int = 4096, seeds: @escaping @Sendable () -> [Seed],
        run: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        self.name = name
        self.summary = summary
        self.longest = longest
        self.seeds = seeds
        let turn = Turn()
        self.run = { input in turn.mutex.withLock { _ in run(input) } }
    }

    /// A box: a mutex cannot be captured.
    private final class Turn: Sendable {
        let mutex = Mutex(())
    }
}

/// Stops the process where a promise does not hold, and says which; unlike `precondition` it does so in words in an
/// optimized build too.
func require(_ holds: @autoclosure () -> Bool, _ promise: @autoclosure () -> String) {
    if !holds() { fatalError("a promise does not hold: \(promise())") }
}
