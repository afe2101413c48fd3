import Crypto
import Testing

@Suite struct AgreementKeyTests {
    /// RFC 7748, section 5.2: scalar, point, product.
    @Test(arguments: [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
        ),
    ])
    func publishedProducts(scalar: String, point: String, product: String) throws {
        let key = try AgreementKey(raw: SecretBytes(copying: hex(scalar)))
        #expect(try key.derive(with: hex(point)).exposed == hex(product))
    }

    /// RFC 7748, section 6.1.
    @Test func publishedAgreement() throws {
        let alice = try AgreementKey(
            raw: SecretBytes(copying: hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")))
        let bob = try AgreementKey(
            raw: SecretBytes(copying: hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")))
        let secret = try hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(try alice.publicKey == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(try bob.publicKey == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        #expect(try alice.derive(with: bob.publicKey).exposed == secret)
        #expect(try bob.derive(with: alice.publicKey).exposed == secret)
    }

    /// Points of order 1, 2, 4 and 8 on the curve and its twist: everybody would find zero.
    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func refusesPointsOfLowOrder(point: String) {
        #expect(throws: CryptoError.unusablePublicKey) { _ = try AgreementKey().derive(with: hex(point)) }
    }

    @Test(arguments: [0, 31, 33])
    func refusesAPublicKeyOfAnotherLength(count: Int) {
        #expect(throws: CryptoError.wrongLength(what: "a public key", expected: 32, actual: count)) {
            _ = try AgreementKey().derive(with: bytes(9, count))
        }
    }

    @Test func goesThroughRawBytes() throws {
        let key = AgreementKey()
        #expect(try AgreementKey(raw: key.raw).publicKey == key.publicKey)
    }
}
