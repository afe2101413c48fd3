import Envelope

// Flows, lanes and sources: what each holds here, and what it may.
extension Forwarder {
    /// Bounds of the lanes and of every source alike.
    public mutating func setQuotas(lanes: [Lane: Quota], source: Quota) {
        book.bound(lanes: lanes, source: source)
    }

    /// The account of an envelope's flow, as far as the mesh is known.
    mutating func flowPlace(of header: Header) -> Int32 {
        guard header.kind == .data, case .permitted(let flow) = policy.verdict(on: header) else {
            return book.place(of: nil, header.kind)
        }
        return book.place(of: flow, header.kind)
    }

    /// An envelope's stay here is over.
    mutating func closeAccount(_ index: UInt32, _ end: AccountEnd) {
        let stream = instances[index].stream
        book.close(instances[index].flow, instances[index].lane, stream, Int(instances[index].length), end)
        if instances[index].isHistory { book.streams[stream].history -= 1 }
    }

    /// Flows or names have changed: what was found before its flow could be known gets its account.
    mutating func attribute() {
        guard book.flows[Int(AccountBook.other)].envelopes > 0, !book.places.isEmpty else { return }
        for index in instances.indices
        where instances[index].state != .vacant && instances[index].flow == AccountBook.other
            && !instances[index].isFinished && instances[index].queue >= 0 && instances[index].lane != .control
        {
            let destination = destinations[Int(instances[index].queue) / Destination.queuesEach].node
            let source = book.streams.source(of: instances[index].stream)
            guard let flow = policy.flow(from: source, to: destination, lane: instances[index].lane) else { continue }
            let place = book.place(of: flow, .data)
            book.move(Int(instances[index].length), from: AccountBook.other, to: place)
            instances[index].flow = place
        }
    }

    /// Finds out of whom something has waited too long. What is in the next hop's hands does not count: a destination may
    /// keep it until an earlier one of its stream has come, which may stand behind what would be refused here meanwhile.
    mutating func judgeAges(at now: Instant) {
        guard book.hasAges else { return }
        var ages = book.noAges
        for index in instances.indices where instances[index].state == .queued && !instances[index].isFinished {
            let age = instances[index].age(at: now)
            let (flow, lane) = (Int(instances[index].flow), Int(instances[index].lane.rawValue))
            let source = Int(book.streams[instances[index].stream].source)
            ages.flows[flow] = max(ages.flows[flow], age)
            ages.lanes[lane] = max(ages.lanes[lane], age)
            ages.sources[source] = max(ages.sources[source], age)
        }
        book.judge(ages)
    }

    // MARK: Report

    /// What one flow, lane or source holds here and has had.
    public struct AccountFigures: Equatable, Sendable {
        public var counters: AccountCounters
        /// Held now: waiting, in flight, or on the way into an effect here.
        public var envelopes: Int
        public var bytes: Int
        public var quota: Quota
        /// Bytes a second; nil: no rate.
        public var rate: UInt64?
        /// More is refused for now.
        public var isFull: Bool

        init(_ account: Account) {
            counters = account.counters
            envelopes = account.envelopes
            bytes = account.bytes
            quota = account.quota
            rate = account.pacer?.bytesPerSecond
            isFull = account.isFull
        }
    }

    /// Flows by name, in the order they were first declared; first what no flow is known of (no name), and answers.
    public var flowFigures: (other: AccountFigures, answers: AccountFigures, flows: [(name: String, AccountFigures)]) {
        let named = book.names.indices.dropFirst(2).map { (book.names[$0], AccountFigures(book.flows[$0])) }
        return (
            AccountFigures(book.flows[Int(AccountBook.other)]), AccountFigures(book.flows[Int(AccountBook.answers)]),
            named
        )
    }

    public var laneFigures: [(lane: Lane, AccountFigures)] {
        Lane.allCases.map { ($0, AccountFigures(book.lanes[Int($0.rawValue)])) }
    }

    /// Sources that hold something here.
    public var sourceFigures: [(source: NodeID, AccountFigures)] {
        book.streams.sources.filter { $0.account.envelopes > 0 || $0.account.counters.refused > 0 }
            .map { ($0.node, AccountFigures($0.account)) }
    }
}
