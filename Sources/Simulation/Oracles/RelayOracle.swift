import Envelope
import Journal
import Mesh

extension RelayProgram {
    /// What holds at every moment between two calls:
    /// accepted = delivered + handed over + receipted + expired + lost + present, and memory within its bound; of
    /// flows, lanes and sources (looked at now and then) the same.
    func check() {
        guard let links else { return }
        let counters = links.exchange.forwarder.counters
        let holdings = links.exchange.forwarder.holdings
        let gone =
            counters.delivered + counters.handedOver + counters.receipted + counters.expired + counters.lost
        let present = holdings.queued + holdings.underWay
        if holdings.underWay < 0 || counters.accepted != gone + UInt64(max(0, present)) {
            host.fail(
                "accepted \(counters.accepted) is not gone \(gone) and queued \(holdings.queued) and under way "
                    + "\(holdings.underWay)")
        }
        let reserves = Limits.spillingBytes + Limits.controlReserveBytes + Limits.gapReserveBytes
        let bound = memoryBytes + reserves + Header.size + Limits.bodyBytes
        if holdings.memoryBytes > bound { host.fail("\(holdings.memoryBytes) bytes in memory are above \(bound)") }
        looks += 1
        if looks.isMultiple(of: 32) { checkAccounts(links.exchange.forwarder, present: present) }
    }

    private func checkAccounts(_ forwarder: borrowing Forwarder, present: Int) {
        let flows = forwarder.flowFigures
        let accounts = [flows.other, flows.answers] + flows.flows.map(\.1)
        let lanes = forwarder.laneFigures.map(\.1)
        for account in accounts + lanes {
            let gone = account.counters.delivered + account.counters.expired + account.counters.lost
            if account.counters.accepted != gone + UInt64(max(0, account.envelopes)) {
                host.fail("an account does not balance: \(account)")
            }
        }
        let sums = [accounts, lanes, forwarder.sourceFigures.map(\.1)].map { $0.map(\.envelopes).reduce(0, +) }
        if sums.contains(where: { $0 != present }) {
            host.fail("flows, lanes and sources hold \(sums), and present are \(present)")
        }
    }

    var state: String {
        guard let links, let journal else { return "has not started" }
        return "\(links.exchange.forwarder.holdings), \(journal.usage.records) records stored, journal "
            + (journal.isIdle ? "idle" : "busy") + full(links.exchange.forwarder) + "; " + links.state
    }

    /// Flows and sources whose quota stands against more.
    private func full(_ forwarder: borrowing Forwarder) -> String {
        let flows = forwarder.flowFigures.flows.filter { $0.1.isFull }.map { "\($0.name) \($0.1)" }
        let sources = forwarder.sourceFigures.filter { $0.1.isFull }.map { "\($0.source) \($0.1)" }
        return (flows + sources).map { "; full: " + $0 }.joined()
    }

    /// Nothing is left to do here: nothing is held, and nothing is stored.
    var isSettled: Bool {
        guard let links, let journal else { return false }
        let holdings = links.exchange.forwarder.holdings
        return holdings.queued == 0 && holdings.underWay == 0 && journal.isIdle && journal.usage.records == 0
    }
}
