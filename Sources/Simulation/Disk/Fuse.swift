/// Ends a process in the middle of what it does: it burns down by one with each operation on the disk and the network.
final class Fuse {
    /// Operations until the end; 0 where it is not lit.
    @exclusivity(unchecked) private var left = 0
    /// The process is gone. Whatever it still calls has no effect.
    @exclusivity(unchecked) private(set) var hasBurnt = false
    var isLit: Bool { left > 0 }

    /// - Precondition: `operations` is positive.
    func light(_ operations: Int) {
        precondition(operations > 0, "a fuse has a length")
        if !hasBurnt { left = operations }
    }

    /// For a new process.
    func renew() {
        left = 0
        hasBurnt = false
    }

    /// Before each operation.
    /// - Returns: true where the process is gone and the operation must not happen.
    func burn() -> Bool {
        if hasBurnt { return true }
        if left == 0 { return false }
        left -= 1
        hasBurnt = left == 0
        return hasBurnt
    }

    /// The process ends after its present call.
    func end() { hasBurnt = true }
}
