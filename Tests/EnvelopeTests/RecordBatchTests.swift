import Envelope
import TestSupport
import Testing

/// What a test expects a record to be.
struct Sample: Equatable {
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordHeader] = []
    var time = WallTime(milliseconds: 1_700_000_000_000)
    var quality = Quality.good
    var historical = false

    init(_ key: [UInt8]?, _ value: [UInt8]?) {
        self.key = key
        self.value = value
    }

    init(_ record: RecordBatch.Record) {
        key = record.key
        value = record.value
        headers = record.headers
        time = record.time
        quality = record.quality
        historical = record.historical
    }

    static func random(_ generator: inout SeededGenerator) -> Sample {
        func optional(_ longest: Int) -> [UInt8]? {
            Int.random(in: 0..<4, using: &generator) == 0
                ? nil : generator.bytes(Int.random(in: 0...longest, using: &generator))
        }
        var sample = Sample(optional(40), optional(300))
        sample.headers = (0..<Int.random(in: 0...3, using: &generator)).map {
            RecordHeader("header-\($0)-ä", optional(20))
        }
        let far = Int.random(in: 0..<20, using: &generator) == 0
        sample.time.milliseconds =
            far
            ? Int64(bitPattern: generator.next())
            : 1_700_000_000_000 + Int64.random(in: -100_000...100_000, using: &generator)
        sample.quality = Quality(rawValue: UInt8.random(in: 0...4, using: &generator))
        sample.historical = Bool.random(using: &generator)
        return sample
    }
}

extension RecordBatch.Builder {
    mutating func append(_ sample: Sample) throws(EnvelopeError) {
        try append(
            key: sample.key, value: sample.value, headers: sample.headers, at: sample.time, quality: sample.quality,
            historical: sample.historical)
    }
}

func samples(of bytes: [UInt8]) throws(EnvelopeError) -> [Sample] {
    var reader = try RecordBatch.Reader(bytes)
    return try reader.remaining().map(Sample.init)
}

@Suite struct RecordBatchTests {
    @Test func randomBatchesRoundTrip() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let expected = (0..<Int.random(in: 0...30, using: &generator)).map { _ in Sample.random(&generator) }
            var builder = try RecordBatch.Builder(topic: "boiler-7")
            for sample in expected { try builder.append(sample) }
            let bytes = builder.finish()
            #expect(bytes.count == builder.byteCount)
            #expect(try samples(of: bytes) == expected)
        }
    }

    @Test func emptyBatch() throws {
        let builder = try RecordBatch.Builder(topic: "t")
        var reader = try RecordBatch.Reader(builder.finish())
        #expect(builder.isEmpty)
        #expect(reader.topic == "t")
        #expect(reader.count == 0)
        #expect(try reader.next() == nil)
    }

    @Test func nullIsToldFromEmpty() throws {
        var builder = try RecordBatch.Builder(topic: "t")
        let expected = [Sample(nil, []), Sample([], nil), Sample([], [])]
        for sample in expected { try builder.append(sample) }
        #expect(try samples(of: builder.finish()) == expected)
    }

    @Test func everyWayToAppendWritesTheSame() throws {
        let time = WallTime(milliseconds: 5)
        func batch(_ fill: (inout RecordBatch.Builder) throws -> Void) throws -> [UInt8] {
            var builder = try RecordBatch.Builder(topic: "t")
            try fill(&builder)
            return builder.finish()
        }
        let key = Array("key".utf8)
        let value = Array("value".utf8)
        let expected = try batch { try $0.append(key: key, value: value, at: time) }
        #expect(try batch { try $0.append(key: "key".utf8, value: "value".utf8, at: time) } == expected)
        #expect(try batch { try $0.append(key: key, value: "value".utf8, at: time) } == expected)
        #expect(try batch { try $0.append(key: "key".utf8, value: value, at: time) } == expected)
        #expect(try batch { try $0.append(key: key[...], value: value.lazy.map { $0 }, at: time) } == expected)
        #expect(try batch { try $0.append(key: key.span.bytes, value: value.span.bytes, at: time) } == expected)

        let withoutKey = try batch { try $0.append(key: nil, value: value, at: time) }
        #expect(try batch { try $0.append(key: nil, value: "value".utf8, at: time) } == withoutKey)
        #expect(try batch { try $0.append(key: nil, value: value.span.bytes, at: time) } == withoutKey)
        let tombstone = try batch { try $0.append(key: key, value: nil, at: time) }
        #expect(try batch { try $0.append(key: "key".utf8, value: nil, at: time) } == tombstone)
    }

    @Test func recordGivesPlacesAndText() throws {
        var builder = try RecordBatch.Builder(topic: "t")
        try builder.append(key: "k".utf8, value: "größe".utf8, at: WallTime(milliseconds: 1))
        try builder.append(key: [0xFF], value: nil, at: WallTime(milliseconds: 2))
        let bytes = builder.finish()
        var reader = try RecordBatch.Reader(bytes)
        let first = try #require(try reader.next())
        #expect(first.keyText == "k")
        #expect(first.valueText == "größe")
        #expect(first.valueRange.map { Array(bytes[$0]) } == Array("größe".utf8))
        #expect(first.withBytes { key, value in (key?.count ?? -1) * 100 + (value?.count ?? -1) } == 107)
        let second = try #require(try reader.next())
        #expect(second.keyText == nil)
        #expect(second.valueText == nil)
    }

    @Test func topicsHaveALength() throws {
        #expect(throws: EnvelopeError.illegalTopic) { try RecordBatch.Builder(topic: "") }
        #expect(throws: EnvelopeError.illegalTopic) {
            try RecordBatch.Builder(topic: String(repeating: "ä", count: 128))
        }
        let longest = String(repeating: "a", count: 255)
        #expect(try RecordBatch.Reader(RecordBatch.Builder(topic: longest).finish()).topic == longest)
    }

    @Test func builderKeepsToItsLimit() throws {
        var builder = try RecordBatch.Builder(topic: "t", limit: 1000)
        let value = [UInt8](repeating: 1, count: 300)
        try builder.append(key: nil, value: value, at: WallTime(milliseconds: 0))
        try builder.append(key: nil, value: value, at: WallTime(milliseconds: 0))
        try builder.append(key: nil, value: value, at: WallTime(milliseconds: 0))
        #expect(!builder.hasRoom(for: 300))
        #expect(builder.hasRoom(for: 10))
        let before = builder.finish()
        #expect(throws: EnvelopeError.batchFull) {
            try builder.append(key: nil, value: value, at: WallTime(milliseconds: 0))
        }
        #expect(builder.finish() == before)
        #expect(builder.count == 3)
        builder.removeAll(keepingCapacity: true)
        #expect(builder.isEmpty)
        try builder.append(key: nil, value: [2], at: WallTime(milliseconds: 9))
        #expect(try samples(of: builder.finish()).map(\.time.milliseconds) == [9])
    }

    /// A record above the batch's limit travels in a batch of its own, as with Kafka's batch.size.
    @Test func longRecordTravelsAlone() throws {
        var builder = try RecordBatch.Builder(topic: "t", limit: 100)
        let value = [UInt8](repeating: 7, count: 5000)
        #expect(builder.hasRoom(for: 5000))
        try builder.append(key: nil, value: value, at: WallTime(milliseconds: 0))
        #expect(builder.isFull)
        #expect(!builder.hasRoom(for: 0))
        #expect(throws: EnvelopeError.batchFull) {
            try builder.append(key: nil, value: [], at: WallTime(milliseconds: 0))
        }
        #expect(try samples(of: builder.finish()).first?.value == value)
    }

    @Test func recordsHaveAGreatestLength() throws {
        var builder = try RecordBatch.Builder(topic: "t", limit: .max)
        #expect(builder.limit == Limits.batchBytes)
        let most = Limits.batchBytes - RecordBatch.headSize - 1 - 13
        let value = [UInt8](repeating: 7, count: most)
        try builder.append(key: nil, value: value, at: WallTime(milliseconds: 0))
        #expect(builder.byteCount == Limits.batchBytes)
        builder.removeAll()
        #expect(throws: EnvelopeError.recordTooLong(bytes: most + 14)) {
            try builder.append(key: nil, value: value + [1], at: WallTime(milliseconds: 0))
        }
        #expect(builder.isEmpty)
    }

    @Test func timesWrapRatherThanTrap() throws {
        var builder = try RecordBatch.Builder(topic: "t")
        for time in [Int64.max, .min, 0, -1] {
            try builder.append(key: nil, value: [1], at: WallTime(milliseconds: time))
        }
        #expect(try samples(of: builder.finish()).map(\.time.milliseconds) == [.max, .min, 0, -1])
    }
}

@Suite struct RecordBatchReaderTests {
    private func batch() throws -> [UInt8] {
        var builder = try RecordBatch.Builder(topic: "line")
        var first = Sample([1, 2], [3, 4, 5])
        first.headers = [RecordHeader("unit", "bar"), RecordHeader("none", nil as [UInt8]?)]
        first.historical = true
        try builder.append(first)
        try builder.append(Sample(nil, Array(repeating: 9, count: 200)))
        return builder.finish()
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try batch()
        for length in 0..<bytes.count {
            #expect(throws: EnvelopeError.self) { try samples(of: Array(bytes[..<length])) }
        }
        #expect(throws: EnvelopeError.wrongRecordCount(declared: 2, present: 3)) { try samples(of: bytes + [0]) }
    }

    /// Any byte may hold anything: the reader answers with records or an error and never leaves the batch.
    @Test func damagedBytesNeverTrap() throws {
        let bytes = try batch()
        for place in bytes.indices {
            for value in UInt8.min...UInt8.max {
                var damaged = bytes
                damaged[place] = value
                guard let read = try? samples(of: damaged) else { continue }
                #expect(read.count == 2)
            }
        }
    }

    @Test func randomBytesNeverTrap() throws {
        var generator = SeededGenerator(seed: 4)
        let head = Array(try RecordBatch.Builder(topic: "t").finish())
        for _ in 0..<5000 {
            var bytes = head + generator.bytes(Int.random(in: 0...60, using: &generator))
            bytes[4] = UInt8.random(in: 0...8, using: &generator)
            let read = try? samples(of: bytes)
            #expect((read?.count ?? 0) <= 8)
        }
    }

    @Test func headIsChecked() throws {
        let bytes = try batch()
        func with(_ place: Int, _ value: UInt8) -> [UInt8] {
            var copy = bytes
            copy[place] = value
            return copy
        }
        #expect(throws: EnvelopeError.notABatch) { try RecordBatch.Reader(with(0, 1)) }
        #expect(throws: EnvelopeError.unknownBatchVersion(2)) { try RecordBatch.Reader(with(3, 2)) }
        #expect(throws: EnvelopeError.unknownBatchAttributes(256)) { try RecordBatch.Reader(with(17, 1)) }
        #expect(throws: EnvelopeError.illegalTopic) { try RecordBatch.Reader(with(18, 0)) }
        #expect(throws: EnvelopeError.illegalTopic) { try RecordBatch.Reader(with(19, 0xFF)) }
        #expect(throws: EnvelopeError.wrongRecordCount(declared: 0x0100_0002, present: 33)) {
            try RecordBatch.Reader(with(7, 1))
        }
    }

    @Test func countMustBeTrue() throws {
        var bytes = try batch()
        bytes[4] = 1
        #expect(throws: EnvelopeError.wrongRecordCount(declared: 1, present: 2)) { try samples(of: bytes) }
        bytes[4] = 3
        #expect(throws: EnvelopeError.wrongRecordCount(declared: 3, present: 2)) { try samples(of: bytes) }
    }

    @Test func recordsAreStrict() throws {
        let head = try RecordBatch.Builder(topic: "t").finish()
        func read(_ record: [UInt8]) throws(EnvelopeError) -> Int {
            var bytes = head + record
            bytes[4] = 1
            return try samples(of: bytes).count
        }
        #expect(try read([6, 0, 0, 0, 0, 0, 0]) == 1)
        let malformed: [[UInt8]] = [
            [6, 2, 0, 0, 0, 0, 0],  // an attribute that is not known
            [7, 0, 0, 0, 0, 0, 0, 0],  // a byte too many
            [0x86, 0, 0, 0, 0, 0, 0, 0],  // a length that is spelt too long
            [6, 0, 0, 0, 2, 0, 0],  // a key that leads out of the record
            [6, 0, 0, 0, 0, 0, 1],  // a header that is not there
            [8, 0, 0, 0, 0, 0, 1, 9, 0],  // a header's name that leads out of the record
            [9, 0, 0, 0, 0, 0, 1, 1, 0xFF, 0],  // a header's name that is not UTF-8
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0, 0],  // a length of 64 bits
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0, 0],  // a number of more than 64 bits
        ]
        for record in malformed {
            #expect(throws: EnvelopeError.malformedRecord(index: 0)) { try read(record) }
        }
    }
}
