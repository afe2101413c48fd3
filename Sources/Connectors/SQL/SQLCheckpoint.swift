import Agent

/// How far a table has been read: the greatest value of the increasing column, and which rows at it (and within
/// the overlap before it) were delivered.
///
/// Rows are asked for with `>=`, not `>`: several rows may share a value, and a batch may end between them. The ones
/// delivered already are known by their hashes, counted, so that rows equal in every column are told apart too.
struct SQLCheckpoint: Equatable {
    /// Rows remembered; each costs 24 bytes in every checkpoint.
    static let rows = 32_768
    private static let magic = "GRSQL001"

    struct Delivered: Equatable {
        var position: Int64
        var count: UInt64
    }

    var greatest: SQLValue
    var delivered: [UInt64: Delivered] = [:]

    init(greatest: SQLValue) { self.greatest = greatest }

    /// - Throws: ``ConnectorError`` where the bytes are those of another connector or version.
    init(_ checkpoint: Checkpoint) throws(ConnectorError) {
        do throws(StateReader.Malformed) {
            var reader = try StateReader(checkpoint.bytes, magic: Self.magic)
            greatest = try SQLValue(&reader)
            for _ in 0..<(try reader.count(ofAtLeast: 24)) {
                let hash = try reader.number()
                delivered[hash] = Delivered(position: try reader.signed(), count: try reader.number())
            }
            try reader.finish()
        } catch {
            throw .foreignCheckpoint("sql")
        }
    }

    var encoded: Checkpoint {
        var writer = StateWriter(magic: Self.magic)
        greatest.write(to: &writer)
        writer.append(UInt64(delivered.count))
        for (hash, entry) in delivered.sorted(by: { $0.key < $1.key }) {
            writer.append(hash)
            writer.append(entry.position)
            writer.append(entry.count)
        }
        return Checkpoint(writer.bytes)
    }
}

extension SQLValue {
    fileprivate init(_ reader: inout StateReader) throws(StateReader.Malformed) {
        switch try reader.number() {
        case 1: self = .integer(try reader.signed())
        case 2: self = .real(Double(bitPattern: try reader.number()))
        case 3: self = .text(try reader.text())
        default: throw StateReader.Malformed()
        }
    }

    fileprivate func write(to writer: inout StateWriter) {
        switch self {
        case .integer(let integer):
            writer.append(1 as UInt64)
            writer.append(integer)
        case .real(let real):
            writer.append(2 as UInt64)
            writer.append(real.bitPattern)
        case .text(let text):
            writer.append(3 as UInt64)
            writer.append(text)
        case .null, .binary:
            // Never a value of the increasing column; reading it back is refused.
            writer.append(0 as UInt64)
        }
    }
}
