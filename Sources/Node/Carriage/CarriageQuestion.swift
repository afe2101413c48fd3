import Crypto
import Envelope
import Mesh

/// What a carrier wants to know of a node's store: `GET /v1/stored?to=&all=`.
public struct CarriageQuestion: Sendable {
    /// Destinations; empty: those to which there is no way now.
    public var patterns: [FlowPattern] = []
    /// Whatever there is.
    public var isEverything = false

    /// - Throws: ``FlowError/pattern(_:)``.
    public init(_ request: AdminRequest) throws(FlowError) {
        isEverything = request.query["all"] == "true"
        for text in (request.query["to"] ?? "").split(separator: ",") { patterns.append(try FlowPattern(text)) }
    }

    public func wants(_ destination: NodeID, hasWay: Bool, name: NodeName?) -> Bool {
        if isEverything { return true }
        guard !patterns.isEmpty else { return !hasWay }
        return patterns.contains { pattern in
            switch pattern {
            case .everything: true
            case .zone(let zone): name?.zone == zone
            case .node(let node): NodeID(of: node) == destination
            case .service(let service): NodeID(ofText: service.description) == destination
            }
        }
    }
}

extension DurableCopies {
    /// The answer: names first, then what there is, the oldest first. Sorts, so it is for another thread than the reactor's.
    public func answer(names: [NodeName]) -> AdminResponse {
        var bytes = ByteQueue()
        for name in names { bytes.append(CarriageRecord.name(name)) }
        let sorted = copies.sorted { $0.stored < $1.stored }
        for start in stride(from: 0, to: sorted.count, by: CarriageRecord.copiesEach) {
            let part = sorted[start..<min(start + CarriageRecord.copiesEach, sorted.count)]
            bytes.append(CarriageRecord.stored(Array(part)))
        }
        return .bytes(status: 200, Array(bytes.readable))
    }
}

extension AdminRequest {
    /// The numbers in the body of `POST /v1/stored/copies`; nil where there are too many, or a part of one.
    public var storedNumbers: [UInt64]? {
        guard body.count.isMultiple(of: 8), body.count / 8 <= CopyDesk.copiesAtOnce else { return nil }
        return body.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var numbers: [UInt64] = []
            while let number = reader.integer(UInt64.self) { numbers.append(number) }
            return numbers
        }
    }
}

/// What came of envelopes that were brought: the answer to `POST /v1/stored`.
public struct CarriageReport: Codable, Equatable, Sendable {
    /// One that was not taken and will not be.
    public struct Refusal: Codable, Equatable, Sendable {
        /// Its place among the envelopes brought, from 0.
        public var index: Int
        public var reason: String

        public init(index: Int, reason: String) {
            self.index = index
            self.reason = reason
        }
    }

    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public var schema = 1
    /// Envelopes that were dealt with, from the first on; those behind are to be brought again.
    public var taken = 0
    /// Of these, how many are durable here.
    public var stored = 0
    public var refused: [Refusal] = []
    /// Why not all were dealt with: the node has no room for more now.
    public var waits: String?

    public init() {}
}
