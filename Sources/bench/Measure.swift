/// Times a body that does `count` operations and prints nanoseconds an operation: the best of seven rounds, since
/// everything that disturbs a round only makes it longer.
func measure(_ name: String, count: Int, _ body: () -> Void) {
    let clock = ContinuousClock()
    var best = Duration.seconds(1_000_000)
    for _ in 0..<7 { best = min(best, clock.measure(body)) }
    let (seconds, attoseconds) = best.components
    let nanoseconds = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
    let tenths = Int(nanoseconds / Double(count) * 10)
    print("| \(name) | \(tenths / 10).\(tenths % 10) |")
}

/// Keeps the optimiser from leaving out a result nobody uses.
@inline(never)
func use<Value: ~Copyable>(_ value: borrowing Value) {}
