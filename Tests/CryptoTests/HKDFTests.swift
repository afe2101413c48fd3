import Crypto
import Testing

@Suite struct HKDFTests {
    struct Vector {
        var input: [UInt8]
        var salt: [UInt8]
        var info: [UInt8]
        var concentrated: String
        var output: String
    }

    /// RFC 5869, appendix A, test cases 1 to 3.
    static let published = [
        Vector(
            input: bytes(0x0B, 22), salt: Array(0x00...0x0C), info: Array(0xF0...0xF9),
            concentrated: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        Vector(
            input: Array(0x00...0x4F), salt: Array(0x60...0xAF), info: Array(0xB0...0xFF),
            concentrated: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            output: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                + "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                + "cc30c58179ec3e87c14c01d5c1f3434f1d87"),
        Vector(
            input: bytes(0x0B, 22), salt: [], info: [],
            concentrated: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ]

    @Test(arguments: published)
    func publishedVectors(vector: Vector) throws {
        let input = SecretBytes(copying: vector.input)
        let expected = try hex(vector.output)
        let concentrated = HKDF.extract(salt: vector.salt, from: input)
        #expect(try concentrated.exposed == hex(vector.concentrated))
        let expanded = try HKDF.expand(concentrated, info: vector.info, count: expected.count)
        #expect(expanded.exposed == expected)
        let derived = try HKDF.derive(from: input, salt: vector.salt, info: vector.info, count: expected.count)
        #expect(derived.exposed == expected)
    }

    @Test func oneKeyServesManyExpansions() throws {
        let secret = SecretBytes(copying: bytes(3, 32))
        var key = HMACSHA256Key(secret)
        let first = try HKDF.expand(&key, info: [1], count: 100)
        let second = try HKDF.expand(&key, info: [2], count: 100)
        let again = try HKDF.expand(&key, info: [1], count: 100)
        #expect(first.exposed == again.exposed)
        #expect(first.exposed != second.exposed)
        #expect(try HKDF.expand(secret, info: [1], count: 100).exposed == first.exposed)
    }

    @Test func everyLengthIsAStartOfTheLongest() throws {
        let secret = SecretBytes(copying: bytes(3, 32))
        let longest = try HKDF.expand(secret, info: [], count: HKDF.outputBytes).exposed
        #expect(longest.count == 8_160)
        for count in [0, 1, 31, 32, 33, 63, 64, 65, 8_159] {
            #expect(try HKDF.expand(secret, info: [], count: count).exposed == Array(longest[..<count]))
        }
    }

    @Test(arguments: [-1, 8_161, Int.max])
    func refusesALengthItCannotGive(count: Int) {
        #expect(throws: CryptoError.tooLong(what: "a derived key", bytes: count)) {
            _ = try HKDF.expand(SecretBytes(copying: bytes(3, 32)), info: [], count: count)
        }
    }
}
