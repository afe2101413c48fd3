extension RecordBatch {
    /// Reads the records of a batch one after the other.
    ///
    /// Error contract: after a throw the batch is to be refused whole; nothing that the bytes hold can trap, and no
    /// memory is taken by what a length declares.
    public struct Reader: Sendable {
        public let bytes: [UInt8]
        public let topic: String
        /// Records the head declares; checked against the records by the end of reading.
        public let count: Int
        public let baseTime: WallTime
        /// Records read so far.
        public private(set) var recordsRead = 0

        private var position: Int

        /// Checks the head.
        public init(_ bytes: [UInt8]) throws(EnvelopeError) {
            let size = RecordBatch.headSize
            guard bytes.count >= size else { throw .truncated(needed: size, present: bytes.count) }
            guard bytes.starts(with: RecordBatch.magic) else { throw .notABatch }
            let version = bytes[Offset.version]
            guard version == RecordBatch.version else { throw .unknownBatchVersion(version) }
            let attributes = UInt16(bytes[Offset.attributes]) | UInt16(bytes[Offset.attributes + 1]) << 8
            guard attributes == 0 else { throw .unknownBatchAttributes(attributes) }
            let end = size + Int(bytes[Offset.topicLength])
            guard end > size else { throw .illegalTopic }
            guard bytes.count >= end else { throw .truncated(needed: end, present: bytes.count) }
            guard let topic = String(validating: bytes[size..<end], as: UTF8.self) else { throw .illegalTopic }
            self.topic = topic
            (count, baseTime) = bytes.withUnsafeBytes { bytes in
                let count = bytes.loadUnaligned(fromByteOffset: Offset.count, as: UInt32.self)
                let time = bytes.loadUnaligned(fromByteOffset: Offset.baseTime, as: Int64.self)
                return (Int(UInt32(littleEndian: count)), WallTime(milliseconds: Int64(littleEndian: time)))
            }
            let most = (bytes.count - end) / RecordBatch.smallestRecord
            guard count <= most else { throw .wrongRecordCount(declared: count, present: most) }
            self.bytes = bytes
            position = end
        }

        /// The next record; nil behind the last one.
        public mutating func next() throws(EnvelopeError) -> Record? {
            guard recordsRead < count else {
                guard position == bytes.count else {
                    throw .wrongRecordCount(declared: count, present: recordsRead + 1)
                }
                return nil
            }
            guard position < bytes.count else { throw .wrongRecordCount(declared: count, present: recordsRead) }
            let from = position
            let scanned = bytes.withUnsafeBytes { Scanned($0, at: from, base: baseTime) }
            guard let scanned else { throw .malformedRecord(index: recordsRead) }
            position = scanned.end
            recordsRead &+= 1
            return Record(bytes, scanned)
        }

        /// All records that are left.
        public mutating func remaining() throws(EnvelopeError) -> [Record] {
            var records: [Record] = []
            records.reserveCapacity(count - recordsRead)
            while let record = try next() { records.append(record) }
            return records
        }
    }

    /// Where the parts of one record lie.
    struct Scanned {
        var key: Range<Int>?
        var value: Range<Int>?
        var headers: Range<Int>
        var headerCount: Int
        var end: Int
        var time: WallTime
        var quality: Quality
        var historical: Bool

        /// nil where a length leads out of the record or does not fill it, or an attribute is not known.
        @inline(__always)
        init?(_ bytes: UnsafeRawBufferPointer, at position: Int, base: WallTime) {
            var scanner = BatchScanner(bytes: bytes, position: position, end: bytes.count)
            guard let length = scanner.number(), let body = scanner.range(length) else { return nil }
            scanner.position = body.lowerBound
            scanner.end = body.upperBound
            guard let attributes = scanner.byte(), attributes & ~RecordBatch.historicalBit == 0,
                let quality = scanner.byte(), let delta = scanner.number(),
                let key = scanner.optional(), let value = scanner.optional(), let headers = scanner.number()
            else { return nil }
            let headersStart = scanner.position
            if headers > 0 {
                guard Scanned.skip(headers, &scanner) else { return nil }
            }
            guard scanner.position == scanner.end else { return nil }
            self.key = key
            self.value = value
            self.headers = headersStart..<scanner.end
            headerCount = Int(headers)
            end = scanner.end
            time = WallTime(milliseconds: base.milliseconds &+ VariableLength.zagZig(delta))
            self.quality = Quality(rawValue: quality)
            historical = attributes & RecordBatch.historicalBit != 0
        }

        /// Ends by itself on any count, since each header takes at least two bytes.
        private static func skip(_ headers: UInt64, _ scanner: inout BatchScanner) -> Bool {
            guard headers <= UInt64(scanner.end - scanner.position) / 2 else { return false }
            for _ in 0..<headers {
                guard let length = scanner.number(), let name = scanner.range(length),
                    String(validating: scanner.bytes[name], as: UTF8.self) != nil, scanner.optional() != nil
                else { return false }
            }
            return true
        }
    }
}
