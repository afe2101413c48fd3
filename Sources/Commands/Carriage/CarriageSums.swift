import Envelope
import Node

/// What a file of carried envelopes holds, by destination and lane.
struct CarriageSums {
    struct Place: Hashable, Comparable {
        var destination: NodeID
        var lane: Lane

        static func < (left: Place, right: Place) -> Bool {
            (left.destination, left.lane) < (right.destination, right.lane)
        }
    }

    private var sums: [Place: (envelopes: UInt64, bytes: UInt64, receipts: UInt64)] = [:]
    private var names: [NodeID: NodeName] = [:]
    private(set) var envelopes: UInt64 = 0
    private(set) var bytes: UInt64 = 0

    mutating func learn(_ name: NodeName, _ id: NodeID) { names[id] = name }

    /// - Returns: false where it is no envelope.
    @discardableResult
    mutating func count(_ envelope: UnsafeRawBufferPointer) -> Bool {
        guard let header = try? Header(envelope) else { return false }
        let place = Place(destination: header.destination, lane: header.lane)
        var sum = sums[place] ?? (0, 0, 0)
        sum.envelopes += 1
        sum.bytes += UInt64(envelope.count)
        if header.kind != .data { sum.receipts += 1 }
        sums[place] = sum
        envelopes += 1
        bytes += UInt64(envelope.count)
        return true
    }

    func name(of node: NodeID) -> String { names[node]?.description ?? node.description }

    var rows: [CarriageSummary.Row] {
        sums.sorted { $0.key < $1.key }.map { place, sum in
            CarriageSummary.Row(
                destination: name(of: place.destination), lane: place.lane.description, envelopes: sum.envelopes,
                receipts: sum.receipts, bytes: sum.bytes)
        }
    }
}

/// The answer of `relayctl journal export` and `import`.
struct CarriageSummary: Codable, Equatable, Sendable {
    struct Row: Codable, Equatable, Sendable {
        var destination: String
        var lane: String
        var envelopes: UInt64
        /// Of these, receipts and notices.
        var receipts: UInt64
        var bytes: UInt64
    }

    /// Envelopes that a node did not take and will not.
    struct Refusal: Codable, Equatable, Sendable {
        var reason: String
        var envelopes: UInt64
    }

    var schema = 1
    var file: String
    var envelopes: UInt64
    var bytes: UInt64
    var contents: [Row]
    /// Of an import: how many are durable at the node now.
    var stored: UInt64?
    var refused: [Refusal]?
    /// Of an import: records that cannot be read.
    var damaged: UInt64?

    init(_ file: String, _ sums: CarriageSums) {
        self.file = file
        envelopes = sums.envelopes
        bytes = sums.bytes
        contents = sums.rows
    }

    func presentation(_ lines: [Line], remark: String? = nil) -> Presentation {
        guard !contents.isEmpty else { return Presentation(self, sections: [.lines(lines)], remark: remark) }
        var table = TextTable([
            .init(title: "DESTINATION"), .init(title: "LANE"), .init(title: "ENVELOPES", isNumber: true),
            .init(title: "RECEIPTS", isNumber: true), .init(title: "BYTES", isNumber: true),
        ])
        for row in contents {
            table.add([
                Line(row.destination), Line(row.lane), Line(Quantity.count(row.envelopes)),
                Line(row.receipts == 0 ? "-" : Quantity.count(row.receipts)), Line(Quantity.bytes(row.bytes)),
            ])
        }
        return Presentation(self, sections: [.lines(lines + [Line()]), .table(table)], remark: remark)
    }
}
