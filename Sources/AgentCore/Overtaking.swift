/// Jobs whose fresh data may pass what has waited through an outage, at the price of their order.
///
/// A sink takes each stream in its order, so what is fresh can only pass in a stream of its own. The outbox asks for
/// one where receipts come for what is older than ``after`` while more waits; the old stream then goes on as history.
package struct Overtaking: Equatable, Sendable {
    /// Names of jobs.
    package var jobs: Set<String>
    /// As old as what is history; see `HistoryPacing`.
    package var after: Duration

    package init(jobs: Set<String> = [], after: Duration = .seconds(60)) {
        self.jobs = jobs
        self.after = after
    }
}
