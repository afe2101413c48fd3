/// One thing that can happen next in a ``SmallWorld``. Nodes, wires and the ends of wires go by their numbers.
enum Choice: Hashable, Sendable {
    /// The next batch of frames reaches this end of a wire.
    case deliver(wire: Int, end: Int)
    /// The oldest operation of a relay's store happens.
    case complete(node: Int)
    /// The oldest operation of a relay's store, a write, is refused.
    case failWrite(node: Int)
    /// The effect of the oldest delivery is durable and the destination says so.
    case finish
    /// The same, but the destination is killed before it says so.
    case finishAndCrash
    /// The destination gives its oldest delivery back.
    case giveBack
    /// Time moves to a node's next deadline, and that node is told.
    case tick(node: Int)
    /// A node is killed and started anew. Of the writes under way the first ones are durable; what its store was told
    /// to forget may be back.
    case crash(node: Int, writesKept: Int, isForgettingLost: Bool)
    /// A wire is cut, with all that is on it.
    case cut(wire: Int)
    /// One end of a cut wire notices; where two were cut there, the first one.
    case notice(wire: Int, end: Int)
    /// A wire of which both ends have noticed stands again; in some cases one of them is enough.
    case reconnect(wire: Int)
    /// The second relay's way turns round.
    case changeRoute
    /// The source makes its next envelope.
    case originate

    /// True where something goes wrong that need not.
    var isFault: Bool {
        switch self {
        case .failWrite, .finishAndCrash, .giveBack, .crash, .cut, .changeRoute: true
        case .deliver, .complete, .finish, .tick, .notice, .reconnect, .originate: false
        }
    }

    var isTimer: Bool {
        if case .tick = self { true } else { false }
    }
}

extension Choice {
    static let nodeNames = ["source", "relay 1", "relay 2", "destination"]

    var description: String {
        switch self {
        case .deliver(let wire, let end):
            "\(Self.nodeNames[wire + end]) reads the next batch from \(Self.nodeNames[wire + 1 - end])"
        case .complete(let node): "\(Self.nodeNames[node])'s store does the oldest operation"
        case .failWrite(let node): "\(Self.nodeNames[node])'s store refuses the oldest write"
        case .finish: "the oldest delivery takes effect and the destination says so"
        case .finishAndCrash: "the oldest delivery takes effect and the destination is killed"
        case .giveBack: "the destination gives the oldest delivery back"
        case .tick(let node): "time moves on to \(Self.nodeNames[node])'s next deadline"
        case .crash(let node, let writes, let isForgettingLost):
            "\(Self.nodeNames[node]) is killed and starts anew, writes kept: \(writes)"
                + (isForgettingLost ? ", what was forgotten is back" : "")
        case .cut(let wire): "the wire between \(Self.nodeNames[wire]) and \(Self.nodeNames[wire + 1]) is cut"
        case .notice(let wire, let end):
            "\(Self.nodeNames[wire + end]) notices the cut to \(Self.nodeNames[wire + 1 - end])"
        case .reconnect(let wire): "\(Self.nodeNames[wire]) and \(Self.nodeNames[wire + 1]) connect"
        case .changeRoute: "relay 2's way turns round"
        case .originate: "the source makes its next envelope"
        }
    }

    /// In 16 bits: a search remembers one for each state.
    var code: UInt16 {
        switch self {
        case .deliver(let wire, let end): pack(0, wire, end)
        case .complete(let node): pack(1, node)
        case .failWrite(let node): pack(2, node)
        case .finish: pack(3)
        case .finishAndCrash: pack(4)
        case .giveBack: pack(5)
        case .tick(let node): pack(6, node)
        case .crash(let node, let writes, let isForgettingLost): pack(7, node, writes * 2 + (isForgettingLost ? 1 : 0))
        case .cut(let wire): pack(8, wire)
        case .notice(let wire, let end): pack(9, wire, end)
        case .reconnect(let wire): pack(10, wire)
        case .changeRoute: pack(11)
        case .originate: pack(12)
        }
    }

    private func pack(_ kind: UInt16, _ first: Int = 0, _ second: Int = 0) -> UInt16 {
        kind << 12 | UInt16(first) << 8 | UInt16(second)
    }

    init(code: UInt16) {
        let first = Int(code >> 8 & 15)
        let second = Int(code & 255)
        switch code >> 12 {
        case 0: self = .deliver(wire: first, end: second)
        case 1: self = .complete(node: first)
        case 2: self = .failWrite(node: first)
        case 3: self = .finish
        case 4: self = .finishAndCrash
        case 5: self = .giveBack
        case 6: self = .tick(node: first)
        case 7: self = .crash(node: first, writesKept: second / 2, isForgettingLost: second % 2 == 1)
        case 8: self = .cut(wire: first)
        case 9: self = .notice(wire: first, end: second)
        case 10: self = .reconnect(wire: first)
        case 11: self = .changeRoute
        default: self = .originate
        }
    }
}
