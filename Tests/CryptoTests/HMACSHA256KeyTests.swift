import Crypto
import Testing

@Suite struct HMACSHA256KeyTests {
    /// RFC 4231, test cases 1 to 4, 6 and 7 (5 is about cut codes).
    static let published: [(key: [UInt8], message: [UInt8], code: String)] = [
        (bytes(0x0B, 20), Array("Hi There".utf8), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (bytes(0xAA, 20), bytes(0xDD, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (
            (1...25).map { UInt8($0) }, bytes(0xCD, 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            bytes(0xAA, 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            bytes(0xAA, 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test(arguments: published.indices)
    func publishedVectors(index: Int) throws {
        let vector = Self.published[index]
        var key = HMACSHA256Key(SecretBytes(copying: vector.key))
        let code = key.code(of: vector.message)
        #expect(try code == hex(vector.code))
        // Once more with the same context, in pieces.
        for byte in vector.message { key.update([byte]) }
        let again = key.finish()
        #expect(again == code)
    }

    @Test func emptyKeyAndMessage() throws {
        var key = HMACSHA256Key(SecretBytes(zeroed: 0))
        let code = key.code(of: [])
        #expect(try code == hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"))
    }

    @Test func matchesOnlyTheWholeCode() {
        var key = HMACSHA256Key(SecretBytes(copying: bytes(1, 32)))
        let code = key.code(of: [1, 2, 3])
        key.update([1, 2, 3])
        let matches = key.finish(matching: code)
        #expect(matches)
        for bit in 0..<code.count * 8 {
            var altered = code
            altered[bit / 8] ^= 1 << (bit % 8)
            key.update([1, 2, 3])
            let matches = key.finish(matching: altered)
            #expect(!matches, "bit \(bit)")
        }
        for count in 0..<code.count {
            key.update([1, 2, 3])
            let matches = key.finish(matching: Array(code[..<count]))
            #expect(!matches, "\(count) bytes")
        }
    }

    @Test func aBufferThatIsTooSmallLeavesTheMessageUnderWay() throws {
        var key = HMACSHA256Key(SecretBytes(copying: bytes(1, 32)))
        let code = key.code(of: [1, 2, 3])
        key.update([1, 2])
        var small = bytes(0, 31)
        small.withUnsafeMutableBytes { small in
            _ = #expect(throws: CryptoError.outputTooSmall(needed: 32, given: 31)) { try key.finish(into: small) }
        }
        key.update([3])
        let finished = key.finish()
        #expect(finished == code)
    }
}
