import Crypto
import Testing

@Suite struct AEADKeyTests {
    struct Vector: CustomStringConvertible {
        var description: String
        var key: String
        var nonce: String
        var header: String
        var plaintext: String
        var ciphertext: String
        var tag: String
    }

    private static let longKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    private static let longText =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    private static let longSealed =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

    /// D. McGrew and J. Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 13 to 16.
    static let published = [
        Vector(
            description: "13", key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12),
            header: "", plaintext: "", ciphertext: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            description: "14", key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12),
            header: "", plaintext: String(repeating: "00", count: 16), ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            description: "15", key: longKey, nonce: "cafebabefacedbaddecaf888", header: "",
            plaintext: longText + "1aafd255", ciphertext: longSealed + "898015ad",
            tag: "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            description: "16", key: longKey, nonce: "cafebabefacedbaddecaf888",
            header: "feedfacedeadbeeffeedfacedeadbeefabaddad2", plaintext: longText, ciphertext: longSealed,
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    private static func key(_ byte: UInt8 = 7) throws -> AEADKey {
        try AEADKey(SecretBytes(copying: bytes(byte, 32)))
    }

    @Test(arguments: published)
    func publishedVectors(vector: Vector) throws {
        var key = try AEADKey(SecretBytes(copying: hex(vector.key)))
        let nonce = try Nonce(hex(vector.nonce))
        let sealed = try key.seal(nonce: nonce, authenticating: hex(vector.header), plaintext: hex(vector.plaintext))
        #expect(try sealed == hex(vector.ciphertext + vector.tag))
        let opened = try key.open(nonce: nonce, authenticating: hex(vector.header), sealed: sealed)
        #expect(try opened == hex(vector.plaintext))
    }

    @Test func threePiecesSealAsTheWhole() throws {
        var key = try Self.key()
        let nonce = Nonce(counter: 9)
        let message = (0..<70).map { UInt8($0) }
        let whole = try key.seal(nonce: nonce, authenticating: [1, 2], plaintext: message)
        for first in stride(from: 0, through: 70, by: 7) {
            for second in stride(from: first, through: 70, by: 5) {
                var output = bytes(0, whole.count)
                let count = try message.withUnsafeBytes { message in
                    try [UInt8]([1, 2]).withUnsafeBytes { header in
                        try output.withUnsafeMutableBytes { output in
                            try key.seal(
                                nonce: nonce, authenticating: header,
                                plaintext: UnsafeRawBufferPointer(rebasing: message[..<first]),
                                UnsafeRawBufferPointer(rebasing: message[first..<second]),
                                UnsafeRawBufferPointer(rebasing: message[second...]), into: output)
                        }
                    }
                }
                #expect(count == whole.count)
                #expect(output == whole, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func sealsAndOpensInPlace() throws {
        var key = try Self.key()
        let nonce = Nonce(prefix: 1, counter: 2)
        let expected = try key.seal(nonce: nonce, authenticating: [], plaintext: bytes(5, 100))
        var buffer = bytes(5, 100) + bytes(0, AEADKey.overhead)
        _ = try buffer.withUnsafeMutableBytes { buffer in
            let plaintext = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<100])
            try key.seal(nonce: nonce, authenticating: AEADKey.nothing, plaintext: plaintext, into: buffer)
        }
        #expect(buffer == expected)
        _ = try buffer.withUnsafeMutableBytes { buffer in
            let sealed = UnsafeRawBufferPointer(buffer)
            try key.open(nonce: nonce, authenticating: AEADKey.nothing, sealed: sealed, into: buffer)
        }
        #expect(Array(buffer.prefix(100)) == bytes(5, 100))
    }

    @Test func spansSealAsArrays() throws {
        var key = try Self.key()
        let header: [UInt8] = [1, 2, 3]
        let message = bytes(9, 40)
        var output = bytes(0, 56)
        _ = try output.withUnsafeMutableBytes { output in
            try key.seal(
                nonce: Nonce(counter: 1), authenticating: header.span.bytes, plaintext: message.span.bytes, into: output
            )
        }
        #expect(try output == key.seal(nonce: Nonce(counter: 1), authenticating: header, plaintext: message))
        var opened = bytes(0, 40)
        _ = try opened.withUnsafeMutableBytes { opened in
            try key.open(
                nonce: Nonce(counter: 1), authenticating: header.span.bytes, sealed: output.span.bytes, into: opened)
        }
        #expect(opened == message)
    }

    @Test func everyFlippedBitIsNoticed() throws {
        var key = try Self.key()
        let nonce = Nonce(counter: 3)
        let header = bytes(1, 20)
        let sealed = try key.seal(nonce: nonce, authenticating: header, plaintext: bytes(2, 33))
        for bit in 0..<sealed.count * 8 {
            var altered = sealed
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: CryptoError.authenticationFailed) {
                try key.open(nonce: nonce, authenticating: header, sealed: altered)
            }
        }
        for bit in 0..<header.count * 8 {
            var altered = header
            altered[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: CryptoError.authenticationFailed) {
                try key.open(nonce: nonce, authenticating: altered, sealed: sealed)
            }
        }
        #expect(try key.open(nonce: nonce, authenticating: header, sealed: sealed) == bytes(2, 33))
    }

    @Test func everyTruncationIsNoticed() throws {
        var key = try Self.key()
        let sealed = try key.seal(nonce: Nonce(counter: 3), authenticating: [], plaintext: bytes(2, 33))
        for count in 0..<sealed.count {
            #expect(throws: CryptoError.authenticationFailed) {
                try key.open(nonce: Nonce(counter: 3), authenticating: [], sealed: Array(sealed[..<count]))
            }
        }
    }

    @Test func anotherKeyOrNonceDoesNotOpen() throws {
        var key = try Self.key(7)
        var other = try Self.key(8)
        let sealed = try key.seal(nonce: Nonce(prefix: 1, counter: 1), authenticating: [], plaintext: [1])
        #expect(throws: CryptoError.authenticationFailed) {
            try other.open(nonce: Nonce(prefix: 1, counter: 1), authenticating: [], sealed: sealed)
        }
        for nonce in [Nonce(prefix: 2, counter: 1), Nonce(prefix: 1, counter: 2)] {
            #expect(throws: CryptoError.authenticationFailed) {
                try key.open(nonce: nonce, authenticating: [], sealed: sealed)
            }
        }
    }

    @Test func whatDoesNotOpenLeavesNothingInTheOutput() throws {
        var key = try Self.key()
        var sealed = try key.seal(nonce: Nonce(counter: 1), authenticating: [], plaintext: bytes(0x55, 64))
        sealed[79] ^= 1
        var output = bytes(0xEE, 80)
        output.withUnsafeMutableBytes { output in
            _ = sealed.withUnsafeBytes { sealed in
                #expect(throws: CryptoError.authenticationFailed) {
                    try key.open(
                        nonce: Nonce(counter: 1), authenticating: AEADKey.nothing, sealed: sealed, into: output)
                }
            }
        }
        #expect(output == bytes(0, 64) + bytes(0xEE, 16))
    }

    @Test func refusesABufferThatIsTooSmall() throws {
        var key = try Self.key()
        var output = bytes(0xEE, 25)
        _ = try output.withUnsafeMutableBytes { output in
            _ = bytes(1, 10).withUnsafeBytes { message in
                #expect(throws: CryptoError.outputTooSmall(needed: 26, given: 25)) {
                    try key.seal(
                        nonce: Nonce(counter: 1), authenticating: AEADKey.nothing, plaintext: message, into: output)
                }
            }
            let sealed = try key.seal(nonce: Nonce(counter: 1), authenticating: [], plaintext: bytes(1, 26))
            _ = sealed.withUnsafeBytes { sealed in
                #expect(throws: CryptoError.outputTooSmall(needed: 26, given: 25)) {
                    try key.open(
                        nonce: Nonce(counter: 1), authenticating: AEADKey.nothing, sealed: sealed, into: output)
                }
            }
        }
        #expect(output == bytes(0xEE, 25))
    }

    @Test(arguments: [0, 16, 31, 33])
    func refusesAKeyOfAnotherLength(count: Int) {
        #expect(throws: CryptoError.wrongLength(what: "an AES-256 key", expected: 32, actual: count)) {
            _ = try AEADKey(SecretBytes(zeroed: count))
        }
    }

    @Test func nonceLiesBigEndian() throws {
        let nonce = Nonce(prefix: 0x0102_0304, counter: 0x0506_0708_090A_0B0C)
        #expect(nonce.bytes == (1...12).map { UInt8($0) })
        #expect(try Nonce(nonce.bytes) == nonce)
        #expect(throws: CryptoError.wrongLength(what: "a nonce", expected: 12, actual: 11)) {
            try Nonce(bytes(0, 11))
        }
    }
}
