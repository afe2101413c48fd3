import Envelope

/// Header, checksum, record batch.
enum EnvelopeParts {
    static func run(_ selection: Selection) {
        header(selection)
        checksum(selection)
        batch(selection)
    }

    private static func header(_ selection: Selection) {
        let header = Sample.header(bodyLength: 128)
        let bytes = header.encoded
        selection.measure("header: decode and check", count: 100_000) { count in
            bytes.withUnsafeBytes { bytes in
                for _ in 0..<count { use(try? Header(bytes)) }
            }
        }
        selection.measure("header: encode", count: 100_000) { count in
            for _ in 0..<count { use(header.encoded) }
        }
    }

    private static func checksum(_ selection: Selection) {
        for size in [100, 1024, 65_536] {
            let bytes = [UInt8](repeating: 7, count: size)
            selection.measure("CRC32C of \(size) B", count: 20_000_000 / size) { count in
                bytes.withUnsafeBytes { bytes in
                    for _ in 0..<count { use(CRC32C.checksum(of: bytes)) }
                }
            }
        }
    }

    /// Records of one batch: what a batch of 256 KiB holds.
    private static let recordsOfBatch = 1500

    private static func batch(_ selection: Selection) {
        let value = [UInt8](repeating: 42, count: 128)
        guard var builder = try? RecordBatch.Builder(topic: "load") else { return }
        selection.measure("record of 128 B: append", count: recordsOfBatch) { count in
            for number in 0..<count {
                if number % recordsOfBatch == 0 { builder.removeAll(keepingCapacity: true) }
                append(value, number, to: &builder)
            }
        }
        builder.removeAll(keepingCapacity: true)
        for number in 0..<recordsOfBatch { append(value, number, to: &builder) }
        let bytes = builder.finish()
        selection.measure("record of 128 B: read", count: recordsOfBatch) { count in
            var read = 0
            while read < count {
                guard var reader = try? RecordBatch.Reader(bytes) else { return }
                while read < count, let record = try? reader.next() {
                    use(record)
                    read += 1
                }
            }
        }
    }

    private static func append(_ value: [UInt8], _ number: Int, to builder: inout RecordBatch.Builder) {
        let time = WallTime(milliseconds: 1_700_000_000_000 + Int64(number))
        try? builder.append(key: nil, value: value, headers: [], at: time)
    }
}

enum Sample {
    static let source = NodeID(Bytes16(low: 1, high: 1))
    static let destination = NodeID(Bytes16(low: 2, high: 2))

    static func header(bodyLength: Int, sequence: UInt64 = 1) -> Header {
        Header(
            kind: .data, lane: .live, source: source, destination: destination,
            stream: StreamID(Bytes16(low: 3, high: 3)), sequence: Sequence(sequence), floor: Sequence(1),
            created: WallTime(milliseconds: 1_700_000_000_000), lifetime: 3600, key: KeyID(Bytes16(low: 4, high: 4)),
            bodyLength: UInt32(bodyLength))
    }
}
