import Testing

@testable import Crypto

@Suite struct SigningKeyTests {
    struct Vector {
        var privateKey: String
        var publicKey: String
        var message: String
        var signature: String
    }

    /// RFC 8032, section 7.1, tests 1 to 3.
    static let published = [
        Vector(
            privateKey: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        Vector(
            privateKey: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        Vector(
            privateKey: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]

    @Test(arguments: published)
    func publishedVectors(vector: Vector) throws {
        let key = try SigningKey(raw: SecretBytes(copying: hex(vector.privateKey)))
        #expect(try key.verifyingKey.raw == hex(vector.publicKey))
        let signature = key.sign(framed: try hex(vector.message))
        #expect(try signature == hex(vector.signature))
        let verifying = try VerifyingKey(raw: hex(vector.publicKey))
        #expect(try verifying.verify(signature, framed: hex(vector.message)))
    }

    @Test func noFlippedBitVerifies() {
        let key = SigningKey()
        let signature = key.sign([1, 2, 3], for: .receipt)
        #expect(key.verifyingKey.verify(signature, of: [1, 2, 3], for: .receipt))
        for bit in 0..<signature.count * 8 {
            var altered = signature
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(!key.verifyingKey.verify(altered, of: [1, 2, 3], for: .receipt))
        }
        for count in 0..<signature.count {
            #expect(!key.verifyingKey.verify(Array(signature[..<count]), of: [1, 2, 3], for: .receipt))
        }
        #expect(!key.verifyingKey.verify(signature + [0], of: [1, 2, 3], for: .receipt))
    }

    @Test func aSignatureServesOnePurposeAndOneKey() {
        let key = SigningKey()
        let signature = key.sign([1, 2, 3], for: .receipt)
        #expect(!key.verifyingKey.verify(signature, of: [1, 2, 3], for: .linkState))
        #expect(!key.verifyingKey.verify(signature, of: [1, 2], for: .receipt))
        #expect(!SigningKey().verifyingKey.verify(signature, of: [1, 2, 3], for: .receipt))
    }

    @Test func goesThroughPEMAndRawBytes() throws {
        let key = SigningKey()
        let pem = key.pem
        #expect(String(decoding: pem.exposed, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(try SigningKey(pem: pem).verifyingKey == key.verifyingKey)
        #expect(try SigningKey(pem: pem.exposed).verifyingKey == key.verifyingKey)
        #expect(try SigningKey(raw: key.raw).verifyingKey == key.verifyingKey)
    }

    @Test func everyTruncatedPEMIsRefused() throws {
        let pem = SigningKey().pem.exposed
        // The last byte is the end of the line, which a text may lack.
        for count in 0..<pem.count - 1 {
            let error = #expect(throws: CryptoError.self) { try SigningKey(pem: Array(pem[..<count])) }
            guard case .unreadableKey = error else {
                Issue.record("\(String(describing: error)) at \(count)")
                return
            }
        }
    }

    @Test func keysOfAnotherKindAreRefused() throws {
        let agreement = AgreementKey().handle.pem
        let error = #expect(throws: CryptoError.self) { try SigningKey(pem: agreement) }
        #expect(error?.description.contains("X25519") == true)
        #expect(throws: CryptoError.wrongLength(what: "a private key", expected: 32, actual: 31)) {
            try SigningKey(raw: SecretBytes(zeroed: 31))
        }
        #expect(throws: CryptoError.wrongLength(what: "a public key", expected: 32, actual: 33)) {
            try VerifyingKey(raw: bytes(1, 33))
        }
    }

    @Test func aKeyUnderAPassphraseIsRefusedWithoutAsking() throws {
        let directory = try TemporaryDirectory()
        let plain = try directory.write("plain.pem", SigningKey().pem.exposed)
        let locked = directory.path("locked.pem")
        #expect(try openssl(["pkcs8", "-topk8", "-in", plain, "-out", locked, "-passout", "pass:word"]).status == 0)
        let text = try directory.read("locked.pem")
        #expect(throws: CryptoError.encryptedKey) { try SigningKey(pem: text) }
    }
}
