// The same append for the kinds of bytes that sources hold. Each hands pointers to the one in Builder, and throws
// what that one throws.
extension RecordBatch.Builder {
    /// Appends one record.
    public mutating func append(
        key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = [], at time: WallTime, quality: Quality = .good,
        historical: Bool = false
    ) throws(EnvelopeError) {
        try appendCopies(key, value, headers, time, quality, historical)
    }

    /// Appends one record of any bytes, such as `text.utf8`; fast where they lie in one piece.
    public mutating func append(
        key: (some Collection<UInt8>)?, value: (some Collection<UInt8>)?, headers: [RecordHeader] = [],
        at time: WallTime, quality: Quality = .good, historical: Bool = false
    ) throws(EnvelopeError) {
        try appendCopies(key, value, headers, time, quality, historical)
    }

    /// Appends one record with a key of bytes, or without one.
    public mutating func append(
        key: [UInt8]?, value: (some Collection<UInt8>)?, headers: [RecordHeader] = [], at time: WallTime,
        quality: Quality = .good, historical: Bool = false
    ) throws(EnvelopeError) {
        try appendCopies(key, value, headers, time, quality, historical)
    }

    /// Appends one record with a value of bytes, or without one (Kafka's tombstone).
    public mutating func append(
        key: (some Collection<UInt8>)?, value: [UInt8]?, headers: [RecordHeader] = [], at time: WallTime,
        quality: Quality = .good, historical: Bool = false
    ) throws(EnvelopeError) {
        try appendCopies(key, value, headers, time, quality, historical)
    }

    /// Appends one record from spans.
    public mutating func append(
        key: RawSpan?, value: RawSpan, headers: [RecordHeader] = [], at time: WallTime, quality: Quality = .good,
        historical: Bool = false
    ) throws(EnvelopeError) {
        // The pointers are used in this call only, which the spans outlive.
        let value = value.withUnsafeBytes { $0 }
        if let key {
            let key = key.withUnsafeBytes { $0 }
            try append(key: key, value: value, headers: headers, at: time, quality: quality, historical: historical)
        } else {
            try append(key: nil, value: value, headers: headers, at: time, quality: quality, historical: historical)
        }
    }

    @inline(__always)
    private mutating func appendCopies(
        _ key: (some Collection<UInt8>)?, _ value: (some Collection<UInt8>)?, _ headers: [RecordHeader],
        _ time: WallTime, _ quality: Quality, _ historical: Bool
    ) throws(EnvelopeError) {
        try withBytes(key) { (builder, key) throws(EnvelopeError) in
            try builder.withBytes(value) { (builder, value) throws(EnvelopeError) in
                try builder.append(
                    key: key, value: value, headers: headers, at: time, quality: quality, historical: historical)
            }
        }
    }

    @inline(__always)
    private mutating func withBytes(
        _ bytes: (some Collection<UInt8>)?,
        _ body: (inout Self, UnsafeRawBufferPointer?) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
        guard let bytes else { return try body(&self, nil) }
        let result = bytes.withContiguousStorageIfAvailable { bytes -> Result<Void, EnvelopeError> in
            do throws(EnvelopeError) {
                return .success(try body(&self, UnsafeRawBufferPointer(bytes)))
            } catch {
                return .failure(error)
            }
        }
        if let result { return try result.get() }
        try Array(bytes).span.bytes.withUnsafeBytes { (bytes) throws(EnvelopeError) in try body(&self, bytes) }
    }
}
