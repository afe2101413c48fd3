import Crypto

/// A secret with several users, wiped when the last of them lets go. Never printed or compared.
final class SharedSecret: Sendable {
    /// Bytes of every root, pair key and pair code.
    static let size = 32

    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }

    /// Lower-case hexadecimal digits, for a key file only.
    var digits: [UInt8] {
        let alphabet = Array("0123456789abcdef".utf8)
        return bytes.withUnsafeBytes { bytes in
            bytes.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }
        }
    }
}
