/// What was collected against what was delivered, row by row.
struct RowAccount: Equatable, Sendable {
    /// Rows at the source.
    var read = 0
    /// Rows at the destination.
    var delivered = 0
    /// Rows of the source that the destination has not.
    var missing = 0
    /// Rows that the destination has more often than the source.
    var repeated = 0
    /// Rows of the destination that the source never had.
    var foreign = 0
    /// Whether they also stand in the same order.
    var isSameOrder = true

    init<Row: Hashable>(read: [Row], delivered: [Row]) {
        (self.read, self.delivered) = (read.count, delivered.count)
        var due: [Row: Int] = [:]
        for row in read { due[row, default: 0] += 1 }
        for row in delivered {
            if let count = due[row] {
                if count == 0 { repeated += 1 } else { due[row] = count - 1 }
            } else {
                foreign += 1
            }
        }
        missing = due.values.reduce(0, +)
        isSameOrder = read == delivered
    }

    var isExact: Bool { missing == 0 && repeated == 0 && foreign == 0 && isSameOrder && read > 0 }
}
