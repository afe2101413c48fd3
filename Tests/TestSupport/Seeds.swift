import Glibc

/// Seeds of the simulated runs: `GRIDRELAY_SEEDS=first..last` gives others, or many more, than a test has by itself.
/// A failure names its seed, and the same seed gives the same run.
public enum Seeds {
    public static func range(_ usual: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
        guard let text = getenv("GRIDRELAY_SEEDS").map({ String(cString: $0) }) else { return usual }
        let ends = text.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 32 else {
            preconditionFailure("GRIDRELAY_SEEDS is \(text); write first..last, such as 1..1000, or one number")
        }
        return first...last
    }
}
