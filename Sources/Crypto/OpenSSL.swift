import COpenSSL

/// What the wrappers share.
enum OpenSSL {
    /// The longest input handed to OpenSSL at once: its lengths are C ints, and block ciphers may add to them.
    static let inputBytes = Int(Int32.max) - 65_536

    /// Unwraps what OpenSSL refuses only when memory is out or its installation is broken, never for bad input.
    static func require<Value>(_ value: Value?, _ what: StaticString) -> Value {
        guard let value else { preconditionFailure("OpenSSL cannot provide \(what)") }
        return value
    }

    /// As ``require(_:_:)`` for calls that answer 1.
    static func require(_ status: Int32, _ what: StaticString) {
        precondition(status == 1, "OpenSSL cannot provide \(what)")
    }

    /// Empties the thread's error queue and gives the first entry in OpenSSL's words.
    static func takeReason() -> String {
        let code = ERR_peek_error()
        defer { ERR_clear_error() }
        guard code != 0, let text = ERR_reason_error_string(code) else { return "no reason given" }
        return String(cString: text)
    }

    /// Lends bytes to OpenSSL as a stream to read.
    static func withReader<Value, Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, _ body: (OpaquePointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        // A null pointer makes OpenSSL refuse the stream; an empty text is given some address.
        let empty: StaticString = ""
        let start = bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
        let reader = require(BIO_new_mem_buf(start, Int32(clamping: bytes.count)), "a memory stream")
        defer { BIO_free(reader) }
        return try body(reader)
    }

    /// Collects what OpenSSL writes; the stream's own memory is wiped when it is freed.
    static func collect(_ write: (OpaquePointer) -> Int32, _ what: StaticString) -> SecretBytes {
        let writer = require(BIO_new(BIO_s_mem()), "a memory stream")
        defer { BIO_free(writer) }
        require(write(writer), what)
        var start: UnsafeRawPointer?
        let count = gridrelay_bio_memory(writer, &start)
        return SecretBytes(copying: UnsafeRawBufferPointer(start: start, count: count))
    }
}
