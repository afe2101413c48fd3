import COpenSSL

/// Keys from keys: HKDF with SHA-256 (RFC 5869).
///
/// Made of HMAC by hand: OpenSSL's own form looks its parts up at every call and takes ten times as long.
public enum HKDF {
    /// Bytes that one expansion can give at most.
    public static let outputBytes = 255 * HMACSHA256Key.codeBytes

    /// Step 1: concentrates the input in 32 bytes.
    public static func extract(salt: [UInt8], from input: borrowing SecretBytes) -> SecretBytes {
        // An empty salt stands for 32 zeroes, which HMAC pads to the same key.
        var key = salt.withBytes { HMACSHA256Key($0) }
        input.withUnsafeBytes { key.update($0) }
        return finish(&key)
    }

    /// Step 2: spreads a key over `count` bytes bound to `info`.
    ///
    /// `key` is keyed with what ``extract(salt:from:)`` gave and may serve any number of expansions.
    /// - Throws: ``CryptoError/tooLong(what:bytes:)`` where `count` is negative or above ``outputBytes``.
    public static func expand(
        _ key: inout HMACSHA256Key, info: [UInt8], count: Int
    ) throws(CryptoError) -> SecretBytes {
        guard (0...outputBytes).contains(count) else { throw .tooLong(what: "a derived key", bytes: count) }
        var output = SecretBytes(zeroed: count)
        var block = SecretBytes(zeroed: 0)
        var made = 0
        var number: UInt8 = 0
        while made < count {
            number += 1
            block.withUnsafeBytes { key.update($0) }
            key.update(info)
            withUnsafeBytes(of: number) { key.update($0) }
            block = finish(&key)
            let taken = min(HMACSHA256Key.codeBytes, count - made)
            block.withUnsafeBytes { block in
                output.withUnsafeMutableBytes { output in
                    UnsafeMutableRawBufferPointer(rebasing: output[made..<made + taken])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[..<taken]))
                }
            }
            made += taken
        }
        return output
    }

    /// Step 2 for a key that is used once.
    public static func expand(
        _ key: borrowing SecretBytes, info: [UInt8], count: Int
    ) throws(CryptoError) -> SecretBytes {
        var keyed = HMACSHA256Key(key)
        return try expand(&keyed, info: info, count: count)
    }

    /// Both steps.
    public static func derive(
        from input: borrowing SecretBytes, salt: [UInt8], info: [UInt8], count: Int
    ) throws(CryptoError) -> SecretBytes {
        let concentrated = extract(salt: salt, from: input)
        return try expand(concentrated, info: info, count: count)
    }

    private static func finish(_ key: inout HMACSHA256Key) -> SecretBytes {
        var code = SecretBytes(zeroed: HMACSHA256Key.codeBytes)
        code.withUnsafeMutableBytes { output in
            do throws(CryptoError) { try key.finish(into: output) } catch {
                preconditionFailure("32 bytes hold a code")
            }
        }
        return code
    }
}
