import Envelope

/// The place of a flow in the list it was declared in.
public struct FlowIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: Int
    public init(_ number: Int) { self.number = number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { "flow \(number)" }
}

/// What an envelope is to a flow.
public enum FlowTraffic: UInt8, Sendable {
    /// Goes the flow's way.
    case data = 0
    /// Goes back from a destination to a source, in the control lane.
    case receipt = 1
    /// As a receipt, but any relay on the way may be its sender, since any may be where the envelope's life ended.
    case expiry = 2

    public init(_ kind: Header.Kind) {
        switch kind {
        case .data: self = .data
        case .receipt: self = .receipt
        case .expiry: self = .expiry
        }
    }
}

/// Which envelopes a relay may pass on. What no enabled flow permits is denied.
///
/// A flow permits its own lane; one in `live` also `bulk`, where the history of live data travels. Receipts and notices
/// of expiry need no flow of their own. Of several flows that fit, the first declared counts.
///
/// Answers depend on the names the mesh knows only for `zone/*` patterns and for receipts of anycast destinations.
/// The flows are checked on ids, and ids are hashes, so a relay that has not heard of a node denies what only such a
/// pattern would permit.
public struct FlowTable: Sendable {
    /// As declared, also the disabled ones.
    public let declarations: [FlowDeclaration]
    private let rules: [Rule]
    private var decisions: [Question: FlowIndex?] = [:]
    private var decidedVersion: UInt64 = 0

    private struct Question: Hashable {
        var source: NodeID
        var destination: NodeID
        var lane: Lane
        var traffic: FlowTraffic
    }

    /// Permits nothing.
    public init() {
        declarations = []
        rules = []
    }

    /// - Parameter identify: the same function that the ``Router`` has.
    /// - Throws: ``FlowError`` for the first declaration that cannot be meant.
    public init(
        _ declarations: [FlowDeclaration], identify: (String) -> NodeID
    ) throws(FlowError) {
        guard declarations.count <= Limits.flows else { throw .tooManyFlows(declarations.count) }
        var names: Set<String> = []
        for declaration in declarations {
            try declaration.check()
            guard names.insert(declaration.name).inserted else { throw .repeated(declaration.name) }
        }
        self.declarations = declarations
        rules = declarations.enumerated().filter { $0.element.isEnabled }.map { index, declaration in
            Rule(
                index: FlowIndex(index), lane: declaration.lane, from: .init(declaration.from, identify: identify),
                to: .init(declaration.to, identify: identify))
        }
    }

    public subscript(index: FlowIndex) -> FlowDeclaration { declarations[index.number] }

    /// Answers held now; at most ``Limits/flowDecisions``.
    public var rememberedDecisions: Int { decisions.count }

    /// The flow that permits an envelope, nil where none does. Remembered a pair; one look into a table as a rule.
    public mutating func permits(
        source: NodeID, destination: NodeID, lane: Lane, traffic: FlowTraffic, directory: some NodeDirectory
    ) -> FlowIndex? {
        if decidedVersion != directory.directoryVersion {
            decisions.removeAll(keepingCapacity: true)
            decidedVersion = directory.directoryVersion
        }
        let question = Question(source: source, destination: destination, lane: lane, traffic: traffic)
        if let known = decisions[question] { return known }
        let answer = decide(question, directory)
        if decisions.count >= Limits.flowDecisions { decisions.removeAll(keepingCapacity: true) }
        decisions[question] = .some(answer)
        return answer
    }

    private func decide(_ question: Question, _ directory: some NodeDirectory) -> FlowIndex? {
        let source = Address(question.source, directory)
        let destination = Address(question.destination, directory)
        return rules.first { rule in
            switch question.traffic {
            case .data:
                rule.carries(question.lane) && rule.from.matches(source) && rule.to.matches(destination)
            case .receipt:
                question.lane == .control && rule.from.matches(destination) && rule.isAnswered(by: source, directory)
            case .expiry:
                question.lane == .control && rule.from.matches(destination)
                    && (directory.isRelay(source.id) || rule.isAnswered(by: source, directory))
            }
        }?.index
    }
}

/// An id and the zone of its name, where that is known.
private struct Address {
    var id: NodeID
    var zone: ZoneName?

    init(_ id: NodeID, _ directory: some NodeDirectory) {
        self.id = id
        zone = directory.nodeName(of: id)?.zone
    }
}

/// A declaration with its names turned into ids.
private struct Rule: Sendable {
    var index: FlowIndex
    var lane: Lane
    var from: Side
    var to: Side

    func carries(_ lane: Lane) -> Bool {
        lane == self.lane || (self.lane == .live && lane == .bulk)
    }

    /// A service is answered by the nodes that offer it, under their own names.
    func isAnswered(by node: Address, _ directory: some NodeDirectory) -> Bool {
        to.matches(node) || to.services.contains { directory.offers($0, by: node.id) }
    }

    struct Side: Sendable {
        private(set) var isEverything = false
        private(set) var ids: Set<NodeID> = []
        private(set) var zones: Set<ZoneName> = []
        /// Also in `ids`.
        private(set) var services: [NodeID] = []

        init(_ patterns: [FlowPattern], identify: (String) -> NodeID) {
            for pattern in patterns {
                switch pattern {
                case .everything: isEverything = true
                case .zone(let zone): zones.insert(zone)
                case .node(let node): ids.insert(identify(node.description))
                case .service(let service):
                    services.append(identify(service.description))
                    ids.insert(identify(service.description))
                }
            }
        }

        func matches(_ address: Address) -> Bool {
            isEverything || ids.contains(address.id) || (address.zone.map { zones.contains($0) } ?? false)
        }
    }
}

extension FlowDeclaration {
    fileprivate func check() throws(FlowError) {
        guard !name.isEmpty, name.utf8.count <= Limits.flowNameLength else { throw .name(name) }
        guard !from.isEmpty else { throw .noSource(name) }
        guard !to.isEmpty else { throw .noDestination(name) }
        for side in [from, to] where side.count > Limits.flowPatterns { throw .tooManyPatterns(name, side.count) }
        for case .service(let service) in from { throw .serviceAsSource(name, service) }
        guard bytesPerSecond != 0 else { throw .noBytes(name) }
    }
}
