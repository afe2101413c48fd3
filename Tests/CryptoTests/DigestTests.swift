import Crypto
import Envelope
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4 example messages, from NIST's "Examples with Intermediate Values".
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func publishedVectors(message: String, hash: String) {
        #expect(Hexadecimal.encode(Digest.sha256(Array(message.utf8))) == hash)
    }

    @Test func aMillionTimesTheLetterA() {
        var hasher = SHA256()
        let chunk = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000)
        for _ in 0..<1_000 { hasher.update(chunk) }
        let hash = Hexadecimal.encode(hasher.finish())
        #expect(hash == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func piecesHashAsTheWhole() {
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let whole = Digest.sha256(message)
        var hasher = SHA256()
        for cut in 0...message.count {
            hasher.update(Array(message[..<cut]))
            hasher.update(Array(message[cut...]).span.bytes)
            let hash = hasher.finish()
            #expect(hash == whole, "cut at \(cut)")
        }
    }

    @Test func aNodesIdentifierIsTheStartOfTheHashOfItsName() throws {
        let identifier = NodeID(of: try NodeName("plant-a/relay-1"))
        let hash = Digest.sha256(Array("plant-a/relay-1".utf8))
        #expect(identifier.value.bytes == Array(hash.prefix(16)))
    }
}
