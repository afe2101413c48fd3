extension RecordBatch {
    /// Collects records of one topic into the bytes of a batch.
    ///
    /// Invariants: `storage[..<used]` is a whole batch but for the count in its head, which ``finish()`` writes;
    /// a call that throws leaves the batch as it was.
    public struct Builder: Sendable {
        /// 1 to ``Limits/topicBytes`` bytes of UTF-8.
        public let topic: String
        /// Bytes the batch is filled to, at most ``Limits/batchBytes``. A single record may go past it, so that
        /// a long record travels in a batch of its own.
        public let limit: Int
        /// Records appended.
        public private(set) var count = 0

        private var storage: [UInt8] = []
        private var used: Int
        private let start: Int
        private var baseTime = WallTime(milliseconds: 0)

        /// - Parameter limit: bytes to fill the batch to; cut to ``Limits/batchBytes``.
        /// - Throws: ``EnvelopeError/illegalTopic``.
        public init(topic: String, limit: Int = Limits.defaultBatchBytes) throws(EnvelopeError) {
            guard (1...Limits.topicBytes).contains(topic.utf8.count) else { throw .illegalTopic }
            self.topic = topic
            self.limit = min(max(limit, 0), Limits.batchBytes)
            storage = RecordBatch.magic + [RecordBatch.version]
            storage.append(contentsOf: repeatElement(0, count: Offset.topicLength - storage.count))
            storage.append(UInt8(topic.utf8.count))
            storage.append(contentsOf: topic.utf8)
            used = storage.count
            start = used
        }

        public var isEmpty: Bool { count == 0 }

        /// Bytes of the batch so far, head and topic included.
        public var byteCount: Int { used }

        /// Whether the batch has reached its limit, so that it is time to send it.
        public var isFull: Bool { used >= limit }

        /// Whether a record whose key, value, header names and header values have this many bytes together is sure
        /// to be taken. An empty batch takes any record that fits at all.
        public func hasRoom(for payloadBytes: Int, headers: Int = 0) -> Bool {
            let overhead = RecordBatch.recordOverhead + headers * RecordBatch.headerOverhead
            let most = isEmpty ? Limits.batchBytes : limit
            return payloadBytes <= most - used - overhead
        }

        /// Forgets the records; topic and limit stay.
        public mutating func removeAll(keepingCapacity: Bool = false) {
            count = 0
            used = start
            if !keepingCapacity { storage = Array(storage[..<start]) }
        }

        /// The bytes of the batch. The builder keeps its records; call ``removeAll(keepingCapacity:)`` to go on
        /// with the next batch.
        public func finish() -> [UInt8] {
            var bytes = Array(storage[..<used])
            bytes.withUnsafeMutableBytes { Self.writeHead(count, baseTime, $0) }
            return bytes
        }

        /// Lends the bytes of the batch, without a copy.
        public mutating func withFinished<Value, Failure: Error>(
            _ body: (RawSpan) throws(Failure) -> Value
        ) throws(Failure) -> Value {
            let (count, baseTime) = (count, baseTime)
            storage.withUnsafeMutableBytes { Self.writeHead(count, baseTime, $0) }
            return try body(storage.span.bytes.extracting(first: used))
        }

        private static func writeHead(_ count: Int, _ baseTime: WallTime, _ bytes: UnsafeMutableRawBufferPointer) {
            bytes.storeBytes(of: UInt32(count).littleEndian, toByteOffset: Offset.count, as: UInt32.self)
            bytes.storeBytes(of: baseTime.milliseconds.littleEndian, toByteOffset: Offset.baseTime, as: Int64.self)
        }

        /// Appends one record; the fast way, without any array.
        /// - Throws: ``EnvelopeError/batchFull`` where the record fits only into the next batch, and
        ///   ``EnvelopeError/recordTooLong(bytes:)`` where it fits into none.
        public mutating func append(
            key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, headers: [RecordHeader] = [],
            at time: WallTime, quality: Quality = .good, historical: Bool = false
        ) throws(EnvelopeError) {
            if count == 0 { baseTime = time }
            let delta = VariableLength.zigZag(time.milliseconds &- baseTime.milliseconds)
            var body = 2 &+ VariableLength.size(delta) &+ Builder.size(key) &+ Builder.size(value)
            body &+= VariableLength.size(UInt64(headers.count))
            for header in headers { body &+= Builder.size(header) }
            try reserve(VariableLength.size(UInt64(body)) &+ body)

            storage.withUnsafeMutableBytes { storage in
                guard let base = storage.baseAddress else { return }
                var writer = BatchWriter(base + used)
                writer.number(UInt64(body))
                writer.byte(historical ? RecordBatch.historicalBit : 0)
                writer.byte(quality.rawValue)
                writer.number(delta)
                writer.optional(key)
                writer.optional(value)
                writer.number(UInt64(headers.count))
                for header in headers { Builder.write(header, to: &writer) }
            }
            used &+= VariableLength.size(UInt64(body)) &+ body
            count &+= 1
        }

        /// Makes room for `bytes` more behind `used`.
        private mutating func reserve(_ bytes: Int) throws(EnvelopeError) {
            guard start &+ bytes <= Limits.batchBytes else { throw .recordTooLong(bytes: bytes) }
            guard count == 0 || used &+ bytes <= limit else { throw .batchFull }
            let needed = used &+ bytes
            guard needed > storage.count else { return }
            // Doubling keeps the cost of growing flat; the array itself would only double its hidden capacity.
            let size = max(needed, min(storage.count * 2, Limits.batchBytes), 512)
            storage.append(contentsOf: repeatElement(0, count: size - storage.count))
        }

        @inline(__always)
        private static func size(_ bytes: UnsafeRawBufferPointer?) -> Int {
            guard let bytes else { return 1 }
            return VariableLength.size(UInt64(bytes.count) &+ 1) &+ bytes.count
        }

        private static func size(_ header: RecordHeader) -> Int {
            let name = header.name.utf8.count
            let value = header.value.map { VariableLength.size(UInt64($0.count) + 1) + $0.count } ?? 1
            return VariableLength.size(UInt64(name)) + name + value
        }

        private static func write(_ header: RecordHeader, to writer: inout BatchWriter) {
            var name = header.name
            name.withUTF8 { name in
                writer.number(UInt64(name.count))
                writer.raw(UnsafeRawBufferPointer(name))
            }
            guard let value = header.value else { return writer.byte(0) }
            value.withUnsafeBytes { writer.optional($0) }
        }
    }
}
