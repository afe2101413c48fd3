/// Rows under headings, in columns as wide as they must be.
struct TextTable: Sendable {
    struct Column: Sendable {
        var title: String
        var isNumber = false
        /// Shown by `-o wide` only.
        var isWide = false
    }

    var columns: [Column]
    var rows: [[Line]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Line]) {
        precondition(cells.count == columns.count, "a cell for each column")
        rows.append(cells)
    }

    func lines(wide: Bool, headers: Bool) -> [Line] {
        let shown = columns.indices.filter { wide || !columns[$0].isWide }
        let heading = columns.map { Line($0.title, .strong) }
        let all = (headers ? [heading] : []) + rows
        let widths = shown.map { column in all.map { $0[column].width }.max() ?? 0 }
        return all.map { row in
            var line = Line()
            var owed = 0
            for (column, width) in zip(shown, widths) {
                let cell = row[column]
                let padding = width - cell.width
                if columns[column].isNumber { owed += padding }
                // Spaces are paid when something follows, so that no line ends in them.
                if !cell.isEmpty {
                    line += Line(String(repeating: " ", count: owed)) + cell
                    owed = 0
                }
                owed += (columns[column].isNumber ? 0 : padding) + 2
            }
            return line
        }
    }
}
