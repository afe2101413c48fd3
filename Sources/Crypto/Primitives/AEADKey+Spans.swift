/// The same two verbs over spans and arrays.
extension AEADKey {
    /// As the pointer form; for callers that hold spans.
    @discardableResult
    public mutating func seal(
        nonce: Nonce, authenticating header: borrowing RawSpan, plaintext: borrowing RawSpan,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Int {
        try header.withUnsafeBytes { (header) throws(CryptoError) in
            try plaintext.withUnsafeBytes { (plaintext) throws(CryptoError) in
                try seal(nonce: nonce, authenticating: header, plaintext: plaintext, into: output)
            }
        }
    }

    /// As the pointer form; for callers that hold spans.
    @discardableResult
    public mutating func open(
        nonce: Nonce, authenticating header: borrowing RawSpan, sealed: borrowing RawSpan,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CryptoError) -> Int {
        try header.withUnsafeBytes { (header) throws(CryptoError) in
            try sealed.withUnsafeBytes { (sealed) throws(CryptoError) in
                try open(nonce: nonce, authenticating: header, sealed: sealed, into: output)
            }
        }
    }

    /// Seals into a new array; for what is rare and small, such as a grant.
    public mutating func seal(
        nonce: Nonce, authenticating header: [UInt8], plaintext: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.overhead)
        try sealed.withMutableBytes { (output) throws(CryptoError) in
            try header.withBytes { (header) throws(CryptoError) in
                try plaintext.withBytes { (plaintext) throws(CryptoError) in
                    _ = try seal(nonce: nonce, authenticating: header, plaintext: plaintext, into: output)
                }
            }
        }
        return sealed
    }

    /// Opens into a new array; for what is rare and small, such as a grant.
    public mutating func open(
        nonce: Nonce, authenticating header: [UInt8], sealed: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        var plaintext = [UInt8](repeating: 0, count: max(0, sealed.count - Self.overhead))
        try plaintext.withMutableBytes { (output) throws(CryptoError) in
            try header.withBytes { (header) throws(CryptoError) in
                try sealed.withBytes { (sealed) throws(CryptoError) in
                    _ = try open(nonce: nonce, authenticating: header, sealed: sealed, into: output)
                }
            }
        }
        return plaintext
    }
}
