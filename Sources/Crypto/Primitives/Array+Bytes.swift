/// Arrays lend their bytes with typed errors and to noncopyable results, which `withUnsafeBytes` cannot yet.
extension [UInt8] {
    func withBytes<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try span.bytes.withUnsafeBytes(body)
    }

    mutating func withMutableBytes<Value: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        var elements = mutableSpan
        var bytes = elements.mutableBytes
        return try bytes.withUnsafeMutableBytes(body)
    }
}
