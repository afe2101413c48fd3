import Platform

/// What becomes of the envelopes that one carrier brings at once, until all of it is known.
public struct CarriageTally {
    private var report = CarriageReport()
    /// Places of envelopes that are being stored, by ticket.
    private var waiting: [UInt64: Int] = [:]
    private var stored: [Int] = []
    private let reply: Reply<CarriageReport>

    /// - Parameter reply: filled once, by ``fill()``.
    public init(_ reply: Reply<CarriageReport>) { self.reply = reply }

    /// Nothing is being stored any more.
    public var isSettled: Bool { waiting.isEmpty }

    public func awaits(_ ticket: UInt64) -> Bool { waiting[ticket] != nil }

    /// The envelope at this place is being stored.
    public mutating func storing(_ index: Int, ticket: UInt64) {
        waiting[ticket] = index
        report.taken = index + 1
    }

    /// It is not taken and will not be.
    public mutating func refused(_ index: Int, _ reason: String) {
        report.refused.append(.init(index: index, reason: reason))
        report.taken = index + 1
    }

    /// The node takes no more for now.
    public mutating func stopped(_ reason: String) { report.waits = reason }

    /// - Parameter error: why the store did not take it: it and what is behind it are to be brought again.
    public mutating func ended(_ ticket: UInt64, error: String?) {
        guard let index = waiting.removeValue(forKey: ticket) else { return }
        guard let error else { return stored.append(index) }
        report.waits = error
        report.taken = min(report.taken, index)
    }

    /// Nobody will know of those under way: they are to be brought again.
    public mutating func dismiss(_ reason: String) {
        for ticket in waiting.keys.sorted() { ended(ticket, error: reason) }
    }

    /// Answers. What lies behind the first that was not taken is brought again, and counted then.
    public func fill() {
        var answer = report
        answer.stored = stored.count { $0 < report.taken }
        answer.refused.removeAll { $0.index >= report.taken }
        reply.fill(answer)
    }
}
