import Crypto
import Envelope
import Testing

@testable import Keyring

@Suite struct OpenerTests {
    private let batch = Array("twenty-one degrees".utf8)

    @Test func everyFlippedBitIsRefused() throws {
        let envelope = try Fixture.seal(batch)
        var opener = Opener(try Fixture.receiver())
        for bit in 0..<envelope.count * 8 {
            var flipped = envelope
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: OpenError.self) { try opener.open(flipped) }
        }
        #expect(try opener.open(envelope) == batch)
    }

    /// The same with a checksum that fits, so that the sealing is what refuses.
    @Test func everyChangedHeaderIsRefused() throws {
        let envelope = try Fixture.seal(batch, sequence: 1000)
        var opener = Opener(try Fixture.receiver())
        #expect(try opener.open(try rewriting(envelope) { _ in }) == batch)
        let changes: [(inout Header) -> Void] = [
            { $0.kind = .receipt }, { $0.lane = .control }, { $0.flags = Header.Flags(rawValue: 1) },
            { $0.stream = StreamID(Bytes16(low: 1, high: 2)) }, { $0.sequence = Sequence(1001) },
            { $0.floor = Sequence(2) }, { $0.created.milliseconds += 1 }, { $0.lifetime += 1 },
        ]
        for change in changes {
            let changed = try rewriting(envelope, change)
            #expect(throws: OpenError.notAuthentic) { try opener.open(changed) }
        }
    }

    @Test func everyTruncationIsRefused() throws {
        let envelope = try Fixture.seal(batch)
        var opener = Opener(try Fixture.receiver())
        for length in 0..<envelope.count {
            let short = Array(envelope[..<length])
            #expect(throws: OpenError.self) { try opener.open(short) }
            guard length >= Header.size else { continue }
            let fitting = try rewriting(short) { $0.bodyLength = UInt32(length - Header.size) }
            let expected =
                length - Header.size < 45
                ? OpenError.malformed(.truncated(needed: 45, present: length - Header.size)) : .notAuthentic
            #expect(throws: expected) { try opener.open(fitting) }
        }
        #expect(throws: OpenError.self) { try opener.open(envelope + [0]) }
    }

    @Test func wrongAddressIsRefused() throws {
        let record = try Fixture.record()
        let envelope = try Fixture.seal(batch)
        var other = Opener(try Fixture.keychain("plant-c/agent", with: "plant-a/agent", [record]))
        let receiver = NodeID(of: try Fixture.name("plant-b/agent"))
        #expect(throws: OpenError.wrongAddress(receiver)) { try other.open(envelope) }
        let readdressed = try rewriting(envelope) { $0.destination = other.keychain.holderID }
        #expect(throws: OpenError.notAuthentic) { try other.open(readdressed) }
    }

    /// An envelope sent back to its source, whose pair key is the same.
    @Test func reflectionIsRefused() throws {
        let envelope = try Fixture.seal(batch)
        var opener = Opener(try Fixture.sender())
        let reflected = try rewriting(envelope) { swap(&$0.source, &$0.destination) }
        #expect(throws: OpenError.notAuthentic) { try opener.open(reflected) }
    }

    @Test func wrongKeyIsRefused() throws {
        let mine = try Fixture.record()
        let other = try Fixture.record(salt: 1)
        let envelope = try Fixture.seal(batch, records: [other])
        var opener = Opener(try Fixture.receiver([mine]))
        #expect(throws: OpenError.unknownKey(other.id)) { try opener.open(envelope) }
        let renamed = try rewriting(envelope) { $0.key = mine.id }
        #expect(throws: OpenError.notAuthentic) { try opener.open(renamed) }
    }

    @Test func keysGoThroughTheirLife() throws {
        let record = try Fixture.record()
        let envelope = try Fixture.seal(batch)
        var keychain = try Fixture.receiver()
        var opener = Opener(keychain)
        #expect(try opener.open(envelope) == batch)
        keychain.advance(record.id, to: .retiring)
        opener.use(keychain)
        #expect(opener.streamsHeld == 0)
        #expect(try opener.open(envelope) == batch)
        keychain.advance(record.id, to: .destroyed)
        opener.use(keychain)
        #expect(throws: OpenError.destroyedKey(record.id)) { try opener.open(envelope) }
    }

    @Test func sourceWithoutAGrantIsRefused() throws {
        var opener = Opener(try Fixture.keychain("plant-b/agent", with: "plant-c/agent", [Fixture.record()]))
        let source = NodeID(of: try Fixture.name("plant-a/agent"))
        let envelope = try Fixture.seal(batch)
        #expect(throws: OpenError.unknownSource(source)) { try opener.open(envelope) }
    }

    // MARK: What only a peer with the right traffic key can write

    /// Seals `body` as it is under the right traffic key.
    private func envelope(around body: [UInt8], kind: Header.Kind = .data) throws -> [UInt8] {
        let sender = try Fixture.sender()
        let receiver = try Fixture.receiver()
        let keys = try #require(sender.sealing(for: receiver.holderID, at: Fixture.now))
        var contexts = StreamContexts(
            keys, from: sender.holderID, to: receiver.holderID, stream: Fixture.stream)
        var header = try Header(try Fixture.seal([1]))
        header.kind = kind
        header.bodyLength = UInt32(body.count + 16)
        return header.encoded
            + (try contexts.traffic.seal(nonce: Nonce(counter: 1), authenticating: header.encoded, plaintext: body))
    }

    /// The right body for `part`, with a code that fits.
    private func body(
        _ part: [UInt8], structure: [UInt8]? = nil, _ version: StructureCode.Version = .second
    ) throws -> [UInt8] {
        let sender = try Fixture.sender()
        let receiver = try Fixture.receiver()
        let keys = try #require(sender.sealing(for: receiver.holderID, at: Fixture.now))
        var contexts = StreamContexts(
            keys, from: sender.holderID, to: receiver.holderID, stream: Fixture.stream)
        var header = try Header(try Fixture.seal([1]))
        let opened = (structure ?? StructureCode.bytes(.data, version)) + part
        header.bodyLength = UInt32(opened.count + 32)
        return try header.encoded.withUnsafeBytes { header in
            try opened.withUnsafeBytes { opened in
                try #require(opened.count >= SealedBody.headSize)
                let head = UnsafeRawBufferPointer(rebasing: opened[..<SealedBody.headSize])
                let data = UnsafeRawBufferPointer(rebasing: opened[SealedBody.headSize...])
                return Array(opened) + contexts.withCode(version, header, head, data) { Array($0) }
            }
        }
    }

    @Test(arguments: StructureCode.Version.allCases)
    func structureIsCheckedBeforeCode(version: StructureCode.Version) throws {
        var opener = Opener(try Fixture.receiver())
        let part = Compression.pack(batch, with: .none)
        let right = try envelope(around: body(part, version))
        #expect(try opener.open(right) == batch)
        let receipt = StructureCode.bytes(.receipt, version)
        let wrongStructure = try envelope(around: body(part, structure: receipt, version))
        #expect(throws: OpenError.wrongStructure) { try opener.open(wrongStructure) }
        for place in 0..<8 {
            var changed = try body(part, version)
            changed[place] ^= 1
            let bytes = try envelope(around: changed)
            #expect(throws: OpenError.wrongStructure) { try opener.open(bytes) }
        }
        let wrongKind = try envelope(around: body(part, version), kind: .receipt)
        #expect(throws: OpenError.wrongStructure) { try opener.open(wrongKind) }
    }

    @Test(arguments: StructureCode.Version.allCases, [18, SealedBody.digestedFrom])
    func wrongCodeIsRefused(version: StructureCode.Version, count: Int) throws {
        var opener = Opener(try Fixture.receiver())
        let part = Compression.pack((0..<count).map { UInt8(truncatingIfNeeded: $0) }, with: .none)
        let right = try body(part, version)
        for place in 8..<right.count {
            var changed = right
            changed[place] ^= 0x80
            let bytes = try envelope(around: changed)
            #expect(throws: OpenError.wrongCode) { try opener.open(bytes) }
        }
        // Made as the other version says.
        let other: StructureCode.Version = version == .first ? .second : .first
        let bytes = try envelope(around: body(part, structure: StructureCode.bytes(.data, other), version))
        if count < SealedBody.digestedFrom {
            #expect(try opener.open(bytes).count == count)
        } else {
            #expect(throws: OpenError.wrongCode) { try opener.open(bytes) }
        }
    }

    @Test func damagedBatchIsRefused() throws {
        var opener = Opener(try Fixture.receiver())
        let bomb: [UInt8] = [1, 255, 255, 255, 255, 0]
        let bytes = try envelope(around: body(bomb))
        #expect(throws: OpenError.damagedBatch(.declaredTooLong(0xFFFF_FFFF))) { try opener.open(bytes) }
        let unknown = try envelope(around: body([9, 0, 0, 0, 0]))
        #expect(throws: OpenError.damagedBatch(.unknownCodec(9))) { try opener.open(unknown) }
    }

    // MARK: The streams at hand

    private func stream(_ number: UInt64) -> StreamID { StreamID(Bytes16(low: number, high: 1)) }

    @Test func streamsAtHandAreBounded() throws {
        var opener = Opener(try Fixture.receiver(), capacity: 3)
        for number: UInt64 in [1, 2, 3, 4, 2, 5, 1, 1, 4, 3, 2] {
            #expect(try opener.open(try Fixture.seal(batch, stream: stream(number))) == batch)
            #expect(opener.streamsHeld <= 3)
        }
        #expect(opener.streamsHeld == 3)
    }

    @Test func forgedStreamsAreNotRemembered() throws {
        var opener = Opener(try Fixture.receiver(), capacity: 2)
        let envelope = try Fixture.seal(batch)
        for number: UInt64 in 1...20 {
            let forged = try rewriting(envelope) { $0.stream = stream(number) }
            #expect(throws: OpenError.notAuthentic) { try opener.open(forged) }
        }
        #expect(opener.streamsHeld == 0)
    }
}
