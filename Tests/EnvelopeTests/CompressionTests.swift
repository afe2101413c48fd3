import Envelope
import TestSupport
import Testing

@Suite struct CompressionTests {
    static let text = Array(String(repeating: "temperature 21.5; pressure 1.013; ", count: 200).utf8)

    @Test(arguments: Compression.allCases)
    func roundTrip(_ codec: Compression) throws {
        var generator = SeededGenerator(seed: 5)
        for bytes in [[], [1], Self.text, generator.bytes(3000), Array(repeating: 0, count: 100_000)] {
            #expect(try Compression.unpack(Compression.pack(bytes, with: codec)) == bytes)
        }
    }

    @Test(arguments: [Compression.zlib, .zstd])
    func makesTextSmaller(_ codec: Compression) throws {
        let part = Compression.pack(Self.text, with: codec)
        #expect(part[0] == codec.rawValue)
        #expect(part.count < Self.text.count / 10)
    }

    @Test(arguments: [Compression.zlib, .zstd])
    func fallsBackWhereNothingIsWon(_ codec: Compression) throws {
        var generator = SeededGenerator(seed: 6)
        let bytes = generator.bytes(5000)
        #expect(Compression.pack(bytes, with: codec) == Compression.pack(bytes, with: .none))
    }

    /// The same contexts, used for good and bad in turn.
    @Test func contextsAreUsedAgain() throws {
        var compressor = Compressor()
        var decompressor = Decompressor()
        var generator = SeededGenerator(seed: 7)
        for round in 0..<300 {
            let codec = Compression.allCases[round % 3]
            let word = generator.bytes(Int.random(in: 1...40, using: &generator))
            let bytes = Array(repeatElement(word, count: Int.random(in: 1...60, using: &generator)).joined())
            var part: [UInt8] = [42]
            compressor.pack(bytes.span.bytes, with: codec, into: &part)
            #expect(part.removeFirst() == 42)
            #expect(try decompressor.unpack(part.span.bytes) == bytes)
            part[part.count / 2] ^= 0x55
            _ = try? decompressor.unpack(part.span.bytes)
        }
    }

    @Test(arguments: Compression.allCases)
    func everyTruncationIsRefused(_ codec: Compression) {
        let part = Compression.pack(Array(Self.text[..<200]), with: codec)
        for length in 0..<part.count {
            #expect(throws: EnvelopeError.self) { try Compression.unpack(Array(part[..<length])) }
        }
        #expect(throws: EnvelopeError.self) { try Compression.unpack(part + [0]) }
    }

    private func declaring(_ length: Int, _ part: [UInt8]) -> [UInt8] {
        var copy = part
        for place in 0..<4 { copy[1 + place] = UInt8(truncatingIfNeeded: length >> (8 * place)) }
        return copy
    }

    /// Ten million zeros in a few bytes, declared as a hundred: refused, and never unpacked further than that.
    @Test(arguments: [Compression.zlib, .zstd])
    func bombsAreRefused(_ codec: Compression) {
        let bomb = Compression.pack(Array(repeating: 0, count: 10_000_000), with: codec)
        #expect(bomb.count < 20_000)
        for declared in [0, 100, 9_999_999, 10_000_001] {
            #expect(throws: EnvelopeError.wrongUncompressedLength(declared: declared)) {
                try Compression.unpack(declaring(declared, bomb))
            }
        }
    }

    @Test(arguments: Compression.allCases)
    func declaredLengthHasALimit(_ codec: Compression) {
        let part = Compression.pack(Self.text, with: codec)
        for declared in [Limits.batchBytes + 1, 0xFFFF_FFFF] {
            #expect(throws: EnvelopeError.declaredTooLong(declared)) {
                try Compression.unpack(declaring(declared, part))
            }
        }
    }

    @Test func unknownCodecIsRefused() {
        #expect(throws: EnvelopeError.unknownCodec(3)) { try Compression.unpack([3, 0, 0, 0, 0]) }
    }

    @Test(arguments: [Compression.zlib, .zstd])
    func garbageIsRefused(_ codec: Compression) {
        #expect(throws: EnvelopeError.damagedCompression(codec)) {
            try Compression.unpack([codec.rawValue, 4, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9])
        }
    }

    @Test func wordsOfAConfiguration() {
        for codec in Compression.allCases { #expect(Compression(codec.description) == codec) }
        #expect(Compression("gzip") == nil)
    }
}
