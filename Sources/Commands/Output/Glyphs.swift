/// The signs of a picture, in Unicode or, where the locale says so, in ASCII.
struct Glyphs: Sendable {
    enum Condition: Sendable {
        case up, partly, down
    }

    var branch: String
    var lastBranch: String
    var trunk: String
    private var shaft: String
    private var partShaft: String
    private var cut: String
    private var head: String
    private var tail: String

    static let unicode = Glyphs(
        branch: "├─ ", lastBranch: "└─ ", trunk: "│  ", shaft: "─", partShaft: "┄", cut: "✕", head: "▶", tail: "◀")
    static let ascii = Glyphs(
        branch: "|- ", lastBranch: "`- ", trunk: "|  ", shaft: "-", partShaft: ".", cut: "x", head: ">", tail: "<")

    /// Unicode, unless the locale is set to one that has no such letters.
    static func suited(to terminal: Terminal) -> Glyphs {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { terminal.environment[$0] }.first { !$0.isEmpty }
        let isPlain = locale == "C" || locale == "POSIX"
        return isPlain ? .ascii : .unicode
    }

    /// Three letters wide: whether left dials right, right dials left, or both.
    func arrow(toRight: Bool, toLeft: Bool, _ condition: Condition) -> String {
        let shaft = condition == .partly ? partShaft : shaft
        let middle = condition == .down ? cut : shaft
        return (toLeft ? tail : shaft) + middle + (toRight ? head : shaft)
    }
}
