import Envelope

/// Header, checksum, record batch.
enum EnvelopeParts {
    static func run() {
        header()
        checksum()
        batch()
    }

    private static func header() {
        let bytes = Sample.header(bodyLength: 128).encoded
        measure("header: decode and check", count: 100_000) {
            bytes.withUnsafeBytes { bytes in
                for _ in 0..<100_000 { use(try? Header(bytes)) }
            }
        }
    }

    private static func checksum() {
        for size in [100, 1024, 65_536] {
            let bytes = [UInt8](repeating: 7, count: size)
            let count = 20_000_000 / size
            measure("CRC32C of \(size) B", count: count) {
                bytes.withUnsafeBytes { bytes in
                    for _ in 0..<count { use(CRC32C.checksum(of: bytes)) }
                }
            }
        }
    }

    private static func batch() {
        let value = [UInt8](repeating: 42, count: 128)
        let count = 1500
        guard var builder = try? RecordBatch.Builder(topic: "load") else { return }
        measure("record of 128 B: append", count: count) {
            builder.removeAll(keepingCapacity: true)
            for number in 0..<count {
                try? builder.append(
                    key: nil, value: value, headers: [], at: WallTime(milliseconds: 1_700_000_000_000 + Int64(number)))
            }
        }
        let bytes = builder.finish()
        measure("record of 128 B: read", count: count) {
            guard var reader = try? RecordBatch.Reader(bytes) else { return }
            while let record = try? reader.next() { use(record) }
        }
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
