/// Which states lead to which, to count the ways through them.
struct StateGraph {
    /// Where each state's targets begin.
    private var firsts: [Int] = []
    private var targets: [UInt32] = []

    /// The next state's targets follow.
    mutating func begin() { firsts.append(targets.count) }

    mutating func add(_ target: UInt32) { targets.append(target) }

    /// Ways from the first state to those without targets. Every choice uses something up, so no way leads back.
    func paths() -> Double {
        var counts = [Double](repeating: -1, count: firsts.count)
        var stack: [UInt32] = [0]
        while let state = stack.last {
            let children = targets(of: Int(state))
            let unknown = children.filter { counts[Int($0)] < 0 }
            guard unknown.isEmpty else {
                stack.append(contentsOf: unknown)
                continue
            }
            stack.removeLast()
            counts[Int(state)] = children.isEmpty ? 1 : children.reduce(0) { $0 + counts[Int($1)] }
        }
        return counts.first ?? 0
    }

    private func targets(of state: Int) -> ArraySlice<UInt32> {
        targets[firsts[state]..<(state + 1 < firsts.count ? firsts[state + 1] : targets.count)]
    }
}
