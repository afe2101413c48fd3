extension RecordBatch {
    /// One datum of a batch: places in the batch's bytes, and copies for those who want them.
    public struct Record: Sendable {
        /// When the source says it was so.
        public let time: WallTime
        public let quality: Quality
        /// True for history that is being caught up, false for what happens now.
        public let historical: Bool
        /// Where the key lies in the batch; nil for none.
        public let keyRange: Range<Int>?
        /// Where the value lies in the batch; nil for none (Kafka's tombstone).
        public let valueRange: Range<Int>?
        public let headerCount: Int

        private let batch: [UInt8]
        private let headerRange: Range<Int>

        init(_ batch: [UInt8], _ scanned: Scanned) {
            self.batch = batch
            time = scanned.time
            quality = scanned.quality
            historical = scanned.historical
            keyRange = scanned.key
            valueRange = scanned.value
            headerCount = scanned.headerCount
            headerRange = scanned.headers
        }

        /// A copy of the key; nil for none.
        public var key: [UInt8]? { keyRange.map { Array(batch[$0]) } }

        /// A copy of the value; nil for none.
        public var value: [UInt8]? { valueRange.map { Array(batch[$0]) } }

        /// The key as text; nil where there is none or it is not UTF-8.
        public var keyText: String? { keyRange.flatMap { String(validating: batch[$0], as: UTF8.self) } }

        /// The value as text; nil where there is none or it is not UTF-8.
        public var valueText: String? { valueRange.flatMap { String(validating: batch[$0], as: UTF8.self) } }

        /// Hands out key and value without a copy; the pointers are good until `body` returns.
        @inline(__always)
        public func withBytes<Value>(
            _ body: (_ key: UnsafeRawBufferPointer?, _ value: UnsafeRawBufferPointer?) -> Value
        ) -> Value {
            batch.withUnsafeBytes { batch in
                body(
                    keyRange.map { UnsafeRawBufferPointer(rebasing: batch[$0]) },
                    valueRange.map { UnsafeRawBufferPointer(rebasing: batch[$0]) })
            }
        }

        /// Copies of the headers, in order.
        public var headers: [RecordHeader] {
            guard headerCount > 0 else { return [] }
            return batch.withUnsafeBytes { bytes in
                var scanner = BatchScanner(bytes: bytes, position: headerRange.lowerBound, end: headerRange.upperBound)
                var headers: [RecordHeader] = []
                headers.reserveCapacity(headerCount)
                // The reader has checked each of these lengths.
                while let length = scanner.number(), let name = scanner.range(length), let value = scanner.optional() {
                    headers.append(
                        RecordHeader(String(decoding: bytes[name], as: UTF8.self), value.map { Array(bytes[$0]) }))
                }
                return headers
            }
        }
    }
}
