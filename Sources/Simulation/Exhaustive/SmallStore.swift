import Envelope
import Mesh

/// A relay's store for a ``SmallWorld``: a perfect map whose operations happen one after the other, when they are told
/// to. A write that has not happened is lost in a crash, or has just happened; what was to be forgotten may be back
/// after a crash, however long ago that was.
struct SmallStore {
    struct Record {
        var token: UInt64
        var bytes: [UInt8]
        var hop: HopFields
        var isForgotten = false

        var envelope: Int { SmallWorld.number(of: bytes) }
    }

    enum Operation {
        case write(InstanceID, bytes: [UInt8], HopFields)
        case read(InstanceID, token: UInt64)
    }

    /// In the order of their tokens.
    private(set) var records: [Record] = []
    var pending: [Operation] = []
    private var lastToken: UInt64 = 0

    mutating func add(_ bytes: [UInt8], _ hop: HopFields) -> UInt64 {
        lastToken += 1
        records.append(Record(token: lastToken, bytes: bytes, hop: hop))
        return lastToken
    }

    /// - Returns: the number of the envelope that was forgotten; nil where there was no such record.
    mutating func forget(_ token: UInt64) -> Int? {
        guard let place = records.firstIndex(where: { $0.token == token && !$0.isForgotten }) else { return nil }
        records[place].isForgotten = true
        return records[place].envelope
    }

    func bytes(_ token: UInt64) -> [UInt8]? { records.first { $0.token == token && !$0.isForgotten }?.bytes }

    /// Where a record stands among all: their tokens rise, so that its place says as much as its token.
    func place(_ token: UInt64) -> Int { records.firstIndex { $0.token == token } ?? -1 }

    func holds(_ envelope: Int) -> Bool { records.contains { !$0.isForgotten && $0.envelope == envelope } }

    var isEmpty: Bool { pending.isEmpty && records.allSatisfy(\.isForgotten) }

    var writesPending: Int {
        pending.count { if case .write = $0 { true } else { false } }
    }

    var hasForgotten: Bool { records.contains(where: \.isForgotten) }

    mutating func crash(writesKept: Int, isForgettingLost: Bool) {
        var left = writesKept
        for operation in pending {
            guard case .write(_, let bytes, let hop) = operation, left > 0 else { continue }
            left -= 1
            _ = add(bytes, hop)
        }
        pending = []
        if isForgettingLost {
            for place in records.indices { records[place].isForgotten = false }
        } else {
            records.removeAll(where: \.isForgotten)
        }
    }
}
