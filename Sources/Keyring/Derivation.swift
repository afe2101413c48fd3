import Crypto
import Envelope

/// Every key that is made from another, and the text that keeps it apart from all others.
enum Derivation {
    static let pairKeyLabel = "gridrelay pair key v1"
    static let pairCodeLabel = "gridrelay pair code v1"
    static let trafficLabel = "gridrelay traffic v1"
    static let codeLabel = "gridrelay code v1"
    static let digestLabel = "gridrelay digest v1"

    /// The secret of two nodes, the same for both: the lower id comes first.
    static func pair(_ root: SharedSecret, _ label: String, _ one: NodeID, _ other: NodeID) -> SecretBytes {
        let info = Array(label.utf8) + min(one, other).value.bytes + max(one, other).value.bytes
        return derive(root, salt: [], info: info)
    }

    /// The key of one direction of one stream. A stream's id is never used twice, so a counter that is lost or
    /// goes back can never repeat a key with a nonce.
    static func stream(
        _ pair: SharedSecret, _ label: String, from source: NodeID, to destination: NodeID, stream: StreamID,
        key: KeyDigest
    ) -> SecretBytes {
        let info = Array(label.utf8) + source.value.bytes + destination.value.bytes + key.bytes
        return derive(pair, salt: stream.value.bytes, info: info)
    }

    private static func derive(_ secret: SharedSecret, salt: [UInt8], info: [UInt8]) -> SecretBytes {
        do throws(CryptoError) {
            return try HKDF.derive(from: secret.bytes, salt: salt, info: info, count: SharedSecret.size)
        } catch {
            preconditionFailure("32 bytes are within what HKDF gives")
        }
    }
}
