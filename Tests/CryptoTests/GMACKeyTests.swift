import Crypto
import Testing

@Suite struct GMACKeyTests {
    private func tag(_ message: [UInt8], _ byte: UInt8 = 7) throws -> [UInt8] {
        var key = try GMACKey(SecretBytes(copying: bytes(byte, 32)))
        let tag = key.tag(of: message)
        return tag.indices.map { tag[$0] }
    }

    /// D. McGrew and J. Viega, "The Galois/Counter Mode of Operation", appendix B, test case 13.
    @Test func publishedVector() throws {
        #expect(try tag([], 0) == hex("530f8afbc74536b9a963b4f1c4cb738b"))
    }

    /// GMAC is what GCM makes of a header without a message.
    @Test(arguments: [1, 15, 16, 17, 255, 4_096, 100_003])
    func isTheTagOfAHeaderAlone(count: Int) throws {
        let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var key = try AEADKey(SecretBytes(copying: bytes(7, 32)))
        let sealed = try key.seal(nonce: Nonce(counter: 0), authenticating: message, plaintext: [])
        #expect(try tag(message) == sealed)
        for place in [0, count / 2, count - 1] {
            var changed = message
            changed[place] ^= 0x10
            #expect(try tag(changed) != sealed)
        }
        #expect(try tag(message + [0]) != sealed)
        #expect(try tag(message, 8) != sealed)
    }

    @Test func oneContextServesManyMessages() throws {
        var key = try GMACKey(SecretBytes(copying: bytes(7, 32)))
        let first = key.tag(of: bytes(1, 40))
        _ = key.tag(of: bytes(2, 50))
        let again = key.tag(of: bytes(1, 40))
        #expect(first.indices.allSatisfy { first[$0] == again[$0] })
    }

    @Test func wrongLengthIsRefused() {
        #expect(throws: CryptoError.self) { _ = try GMACKey(SecretBytes(copying: bytes(0, 16))) }
    }
}
