import Envelope

/// Lets so many lines of an event through in a second and counts the rest. Events are names in the program, so
/// the table is as small as their number.
struct Throttle {
    struct Summary: Equatable {
        var event: String
        var count: Int
    }

    private struct Window {
        var start: Instant
        var admitted = 0
        var suppressed = 0
    }

    private let limit: Int
    private var windows: [String: Window] = [:]
    private var suppressing = 0

    init(limit: Int) { self.limit = limit }

    /// Counts a line in or out, and hands over the counts of seconds that are over, sorted by event.
    mutating func admit(_ event: String, at now: Instant) -> (isAdmitted: Bool, summaries: [Summary]) {
        let summaries = suppressing == 0 ? [] : takeOver(at: now)
        var window = windows[event] ?? Window(start: now)
        if now - window.start >= .seconds(1) { window = Window(start: now) }
        let isAdmitted = window.admitted < limit
        if isAdmitted {
            window.admitted += 1
        } else {
            if window.suppressed == 0 { suppressing += 1 }
            window.suppressed += 1
        }
        windows[event] = window
        return (isAdmitted, summaries)
    }

    mutating func takeAll() -> [Summary] { take { _ in true } }

    private mutating func takeOver(at now: Instant) -> [Summary] {
        take { now - $0.start >= .seconds(1) }
    }

    private mutating func take(where isDue: (Window) -> Bool) -> [Summary] {
        let due = windows.filter { $0.value.suppressed > 0 && isDue($0.value) }.keys.sorted()
        return due.map { event in
            let count = windows[event]?.suppressed ?? 0
            windows[event]?.suppressed = 0
            suppressing -= 1
            return Summary(event: event, count: count)
        }
    }
}
