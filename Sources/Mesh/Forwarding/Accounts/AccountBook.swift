import Envelope

/// Who holds how much here, by flow, lane and source, so that each is counted and bounded by itself.
///
/// Invariant: each envelope held stands in exactly one account of each of the three kinds.
struct AccountBook {
    /// What no flow is known to permit, such as what was found in the store before the mesh is known.
    static let other: Int32 = 0
    /// Receipts and notices of expiry: they are the way to freed room, so no quota bounds them.
    static let answers: Int32 = 1

    /// Flows by their places: the two above, then those ever declared, in the order they were met.
    private(set) var flows = [Account(), Account()]
    private(set) var names = ["", ""]
    private var placeOfName: [String: Int32] = [:]
    /// The place of each flow of the policy in force.
    private(set) var places: [Int32] = []
    private(set) var lanes = [Account(), Account(), Account()]
    var streams = StreamTable()
    /// Some flow has a rate.
    private(set) var hasRates = false
    private(set) var hasAges = false

    /// - Parameter flow: of the policy in force; nil where none is known.
    func place(of flow: FlowIndex?, _ kind: Header.Kind) -> Int32 {
        guard kind == .data else { return Self.answers }
        return flow.map { places[$0.number] } ?? Self.other
    }

    /// Other flows from now on; what is held stays in its accounts, by name.
    mutating func declare(_ declarations: [FlowDeclaration]) {
        for place in flows.indices {
            flows[place].bound(by: .none)
            flows[place].pacer = nil
            flows[place].durability = nil
        }
        places = declarations.map { declaration in
            let place = placeOfName[declaration.name] ?? add(declaration.name)
            flows[Int(place)].bound(by: declaration.quota)
            flows[Int(place)].durability = declaration.durability
            flows[Int(place)].pacer = declaration.bytesPerSecond.map { Pacer(bytesPerSecond: $0) }
            return place
        }
        noteBounds()
    }

    mutating func bound(lanes quotas: [Lane: Quota], source: Quota) {
        for lane in Lane.allCases { lanes[Int(lane.rawValue)].bound(by: quotas[lane] ?? .none) }
        streams.bound(by: source)
        noteBounds()
    }

    private mutating func noteBounds() {
        hasRates = flows.contains { $0.pacer != nil }
        hasAges = (flows + lanes).contains { $0.quota.age != nil } || streams.quota.age != nil
    }

    private mutating func add(_ name: String) -> Int32 {
        flows.append(Account())
        names.append(name)
        placeOfName[name] = Int32(flows.count - 1)
        return Int32(flows.count - 1)
    }

    /// Whether a quota stands against one more; counts the refusal.
    mutating func refuses(flow: Int32, stream: Int32, _ lane: Lane, forGap fills: Bool) -> Bool {
        guard flow != Self.answers, lane != .control else { return false }
        if flows[Int(flow)].isFull(forGap: fills) {
            flows[Int(flow)].counters.refused += 1
        } else if lanes[Int(lane.rawValue)].isFull(forGap: fills) {
            lanes[Int(lane.rawValue)].counters.refused += 1
        } else if streams.account(of: stream).isFull(forGap: fills) {
            streams.refused(stream)
        } else {
            return false
        }
        return true
    }

    mutating func open(_ flow: Int32, _ lane: Lane, _ stream: Int32, _ length: Int) {
        flows[Int(flow)].open(length)
        lanes[Int(lane.rawValue)].open(length)
        streams.open(stream, length)
    }

    mutating func close(_ flow: Int32, _ lane: Lane, _ stream: Int32, _ length: Int, _ end: AccountEnd) {
        flows[Int(flow)].close(length, end)
        lanes[Int(lane.rawValue)].close(length, end)
        streams.close(stream, length, end)
    }

    mutating func move(_ length: Int, from old: Int32, to new: Int32) {
        var account = flows[Int(old)]
        account.move(length, to: &flows[Int(new)])
        flows[Int(old)] = account
    }

    // MARK: Rates

    /// When a flow's next envelope may go; nil for now.
    func wait(_ flow: Int32, at now: Instant) -> Instant? { flows[Int(flow)].pacer?.wait(at: now) }

    mutating func pass(_ flow: Int32, _ length: Int, at now: Instant) {
        flows[Int(flow)].pacer?.pass(length, at: now)
    }

    // MARK: Ages

    /// The oldest held, by account.
    struct Ages {
        var flows: [Duration]
        var lanes: [Duration]
        var sources: [Duration]
    }

    var noAges: Ages {
        Ages(
            flows: Array(repeating: .zero, count: flows.count), lanes: Array(repeating: .zero, count: lanes.count),
            sources: Array(repeating: .zero, count: streams.sources.count))
    }

    mutating func judge(_ ages: Ages) {
        for (place, age) in ages.flows.enumerated() { flows[place].isStale = flows[place].quota.isPassed(by: age) }
        for (place, age) in ages.lanes.enumerated() { lanes[place].isStale = lanes[place].quota.isPassed(by: age) }
        for (place, age) in ages.sources.enumerated() {
            streams.setStale(place, streams.quota.isPassed(by: age))
        }
    }
}

extension Quota {
    fileprivate func isPassed(by age: Duration) -> Bool { self.age.map { age > $0 } ?? false }
}
