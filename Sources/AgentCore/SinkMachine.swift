import Envelope
import Mesh

/// What is done with the batches for one sink, as a machine without I/O: each stream is brought into order, committed
/// in large pieces, and told durable; what fails is tried for ever, what is rejected holds up its own stream only.
///
/// The owner asks ``next(at:)`` what to do, does it, says what came of it, and asks again. Outcomes for the relay and
/// facts for people are to be taken after each call.
///
/// Invariants:
/// - what is to be committed of one stream rises above its mark, in order and without gap but for what the source has
///   given up;
/// - nothing is called finished before a commit of it was done or its stream's mark was found to be past it;
/// - after a failure nothing is believed of what the sink holds: it is opened anew and asked for its marks;
/// - each item taken is finished or given back once.
package struct SinkMachine {
    package struct Settings: Sendable {
        /// Bytes of batches that may wait to be ordered; and as many again for earlier ones of their stream.
        package var memoryBytes = 32 << 20
        /// Bytes of batches brought to the sink in one commit.
        package var commitBytes = 8 << 20
        /// For one that has come to no harm: when the owner ends.
        package var giveBackDelay: Duration = .milliseconds(200)
        /// For one that cannot be ordered now: long enough that the relay lays it aside, so that the envelope which
        /// must come first, and may stand behind it in the relay's queue, passes it.
        package var asideDelay: Duration = .seconds(1)
        /// Rejected batches are set aside for a person, where there is room, and their stream goes on.
        package var quarantines = false
        /// Between attempts after a failure.
        package var pauses = Backoff(shortest: .milliseconds(100), longest: .seconds(30))
        /// How long a stream waits before a rejected batch is tried again: a person may have made room for it.
        package var rejectionDelay: Duration = .seconds(30)

        package init() {}
    }

    /// What the owner should do now.
    package enum Step: Sendable {
        /// Nothing, until there is something to ``take(_:)``.
        case wait
        /// Open the sink, anew where it is open: ``opened()`` or ``failed(_:at:random:)``.
        case open
        /// Ask where the stream stands: ``marked(_:_:)`` or ``failed(_:at:random:)``.
        case askMark(StreamID)
        /// Make the effects of all and the marks of their streams durable, all or nothing: ``committed()`` or
        /// ``failed(_:at:random:)``.
        case commit([SinkItem])
        /// Keep the envelope durably where there is room for it: ``setAside(_:at:)``.
        case setAside(SinkItem, reason: String)
        /// Let go of the sink, and ask again then.
        case rest(until: Instant)
    }

    /// What people should know.
    package enum Fact: Equatable, Sendable {
        /// - isBlocked: a stream waits because its batch is rejected.
        case committed(records: Int, isBlocked: Bool)
        /// - isNew: another reason than that of the failure before.
        case failed(ConnectorFailure, isNew: Bool)
        /// The stream waits until the sink takes this one.
        case blocked(StreamID, Sequence, reason: String)
    }

    /// How far the work on what is ready has come.
    private enum Stage {
        /// All of it in one commit.
        case whole
        /// Something in it is rejected: one by one, to find what.
        case single
        /// The first is rejected, and should be kept aside.
        case settingAside(reason: String)
        /// It is kept; the mark has to be raised past it by this.
        case passing(SinkItem, reason: String)
    }

    package let settings: Settings
    private var order: DeliveryOrder<SinkItem>
    /// Taken out of the order and not committed yet; those before `head` are done with.
    private var ready: [SinkItem] = []
    private var head = 0
    /// To be offered to the order once the sink has told the mark of their stream; those before `placed` are.
    private var unplaced: [SinkItem] = []
    private var placed = 0
    private var stage = Stage.whole
    private var isOpen = false
    /// The owner was asked to commit, and has not said what came of it.
    private var isCommitting = false
    /// Streams with a rejected batch, until when they wait.
    private var blocked: [StreamID: Instant] = [:]
    private var failures: Backoff
    private var restsUntil = Instant.zero
    private var lastReason = ""
    private var outcomes: [DeliveryOutcome] = []
    private var facts: [Fact] = []
    /// Items that came though their effect was durable already.
    package private(set) var duplicates: UInt64 = 0

    package init(_ settings: Settings) {
        self.settings = settings
        order = DeliveryOrder(memoryBytes: settings.memoryBytes)
        failures = settings.pauses
    }

    /// Whether more may be given now though ``next(at:)`` does not wait for it. While rejected items are looked for
    /// one by one, it is better left where its memory is bounded.
    package var takesMore: Bool { if case .whole = stage { true } else { false } }

    package mutating func take(_ items: [SinkItem]) {
        if unplaced.isEmpty { unplaced = items } else { unplaced += items }
    }

    package mutating func takeOutcomes() -> [DeliveryOutcome] {
        if outcomes.isEmpty { return [] }
        defer { outcomes = [] }
        return outcomes
    }

    package mutating func takeFacts() -> [Fact] {
        if facts.isEmpty { return [] }
        defer { facts = [] }
        return facts
    }

    /// The owner ends: the relay gets back what was not committed, so that its credit and our memory are free again.
    package mutating func leave() {
        giveBack(ready[head...] + order.removeAll() + unplaced[placed...], settings.giveBackDelay)
        ready = []
        head = 0
        unplaced = []
        placed = 0
        stage = .whole
        isOpen = false
    }

    private mutating func giveBack(_ items: some Swift.Sequence<SinkItem>, _ delay: Duration) {
        for item in items { outcomes.append(.giveBack(item.instance, delay)) }
    }

    // MARK: What to do

    package mutating func next(at now: Instant) -> Step {
        let step = decide(at: now)
        if case .commit = step { isCommitting = true } else { isCommitting = false }
        return step
    }

    private mutating func decide(at now: Instant) -> Step {
        if now < restsUntil { return .rest(until: restsUntil) }
        switch stage {
        case .settingAside(let reason): return .setAside(ready[head], reason: reason)
        case .passing(let item, _): return .commit([item])
        case .single: if let item = nextSingle(at: now) { return .commit([item]) }
        case .whole: break
        }
        if !unplaced.isEmpty {
            guard isOpen else { return .open }
            if let stream = place(at: now) { return .askMark(stream) }
        }
        if ready.isEmpty { ready = order.takeReady(bytes: settings.commitBytes).map(\.token) }
        return ready.isEmpty ? .wait : .commit(ready)
    }

    /// The next of those that are tried one by one; none of a stream that has been blocked among them.
    private mutating func nextSingle(at now: Instant) -> SinkItem? {
        while head < ready.count {
            guard let until = blocked[ready[head].stream] else { return ready[head] }
            giveBack(CollectionOfOne(ready[head]), max(settings.asideDelay, until - now))
            advance()
        }
        return nil
    }

    /// The first of the ready ones is done with.
    private mutating func advance() {
        head += 1
        stage = .single
        if head == ready.count { clearReady() }
    }

    private mutating func clearReady() {
        ready = []
        head = 0
        stage = .whole
    }

    // MARK: Order

    /// Puts what came into the order of its stream.
    /// - Returns: a stream of which the mark must be known first.
    private mutating func place(at now: Instant) -> StreamID? {
        unblock(at: now)
        while placed < unplaced.count {
            let stream = unplaced[placed].stream
            if let until = blocked[stream] {
                outcomes.append(.giveBack(unplaced[placed].instance, max(settings.asideDelay, until - now)))
            } else {
                guard order.knows(stream) else { return stream }
                offer(unplaced[placed])
            }
            placed += 1
        }
        unplaced = []
        placed = 0
        return nil
    }

    /// Streams whose time has come may try again.
    private mutating func unblock(at now: Instant) {
        guard !blocked.isEmpty else { return }
        blocked = blocked.filter { $0.value > now }
    }

    private mutating func offer(_ item: SinkItem) {
        let verdict = order.offer(item.stream, item.sequence, floor: item.floor, bytes: item.bytes, token: item)
        switch verdict {
        case .waits: break
        case .duplicate:
            duplicates += 1
            outcomes.append(.finished(item.instance))
            if let mark = order.mark(of: item.stream) {
                outcomes.append(.mark(source: item.source, stream: item.stream, mark))
            }
        case .turnedAway: outcomes.append(.giveBack(item.instance, settings.asideDelay))
        }
    }

    // MARK: What came of it

    package mutating func opened() { isOpen = true }

    package mutating func marked(_ stream: StreamID, _ mark: Sequence) { order.add(stream, mark: mark) }

    /// The commit that ``next(at:)`` asked for last is durable.
    package mutating func committed() {
        switch stage {
        case .whole:
            done(ready)
            clearReady()
        case .single:
            done(CollectionOfOne(ready[head]))
            advance()
        case .passing(let item, _):
            done(CollectionOfOne(item))
            advance()
        case .settingAside: break
        }
    }

    private mutating func done(_ items: some Collection<SinkItem>) {
        for item in items { outcomes.append(.finished(item.instance)) }
        var marks: [StreamID: Int] = [:]
        var records = 0
        for item in items {
            for gap in order.takeGaps(of: item.stream, before: item.sequence) {
                outcomes.append(.skipped(source: item.source, stream: item.stream, gap))
            }
            let mark = DeliveryOutcome.mark(source: item.source, stream: item.stream, item.sequence)
            if let place = marks[item.stream] {
                outcomes[place] = mark
            } else {
                marks[item.stream] = outcomes.count
                outcomes.append(mark)
            }
            records += item.records
            order.applied(item.stream, through: item.sequence)
        }
        failures.reset()
        lastReason = ""
        facts.append(.committed(records: records, isBlocked: !blocked.isEmpty))
    }

    /// What ``next(at:)`` asked for last did not come about.
    /// - Parameters:
    ///   - failure: `rejected` means a commit of which nothing has happened; said of anything else it is a failure
    ///     like others.
    ///   - random: a uniformly random word.
    package mutating func failed(_ failure: ConnectorFailure, at now: Instant, random: UInt64) {
        guard failure.kind == .rejected, isCommitting else { return fail(failure, at: now, random: random) }
        switch stage {
        case .whole: stage = .single
        case .single where settings.quarantines: stage = .settingAside(reason: failure.reason)
        case .single: block(failure.reason, at: now)
        case .passing(_, let reason): block(reason, at: now)
        case .settingAside: break
        }
    }

    /// Keeps what was to be committed, gives the rest back to the relay, and rests. Whether the failed commit took
    /// effect after all, the marks tell when the sink is open again.
    private mutating func fail(_ failure: ConnectorFailure, at now: Instant, random: UInt64) {
        isOpen = false
        facts.append(.failed(failure, isNew: failure.reason != lastReason))
        lastReason = failure.reason
        let pause = failures.next(random: random)
        restsUntil = now + pause
        giveBack(order.removeAll() + unplaced[placed...], max(settings.asideDelay, pause))
        unplaced = head == 0 ? ready : Array(ready[head...])
        placed = 0
        clearReady()
    }

    // MARK: Rejection

    /// Whether the envelope is kept durably: then the sink's mark has to be raised past it, by a batch of the topic
    /// without records.
    package mutating func setAside(_ isKept: Bool, at now: Instant) {
        guard case .settingAside(let reason) = stage else { return }
        if isKept, let item = ready[head].emptied() {
            stage = .passing(item, reason: reason)
        } else {
            block(reason, at: now)
        }
    }

    /// The stream waits; others go on.
    private mutating func block(_ reason: String, at now: Instant) {
        let item = ready[head]
        blocked[item.stream] = now + settings.rejectionDelay
        facts.append(.blocked(item.stream, item.sequence, reason: reason))
        giveBack(CollectionOfOne(item), settings.rejectionDelay)
        giveBack(order.remove(item.stream), settings.rejectionDelay)
        advance()
    }
}
