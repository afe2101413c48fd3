import Crypto
import Envelope
import Testing

@testable import Keyring

/// The bytes in Tests/Vectors, made once. What fails here breaks with what others have written: a change of the
/// format needs a new version. `scripts/check_vectors.py` reads the same files by the document alone.
@Suite struct VectorTests {
    @Test func checksums() throws {
        for vector in try Vector.file("crc32c").list {
            let bytes = try vector["bytes"].bytes
            let checksum = try vector["checksum"].number(UInt32.self)
            #expect(CRC32C.checksum(of: bytes) == checksum)
            #expect(bytes.withUnsafeBytes { CRC32C.portable(0, $0) } == checksum)
        }
    }

    @Test func headers() throws {
        for vector in try Vector.file("header").list {
            let bytes = try vector["bytes"].bytes
            let header = try Header(bytes)
            #expect(header.kind.rawValue == (try vector["kind"].number()))
            #expect(header.lane.rawValue == (try vector["lane"].number()))
            #expect(header.flags.rawValue == (try vector["flags"].number()))
            #expect(header.source.value == (try vector["source"].bytes16))
            #expect(header.destination.value == (try vector["destination"].bytes16))
            #expect(header.stream.value == (try vector["stream"].bytes16))
            #expect(header.sequence.number == (try vector["sequence"].number()))
            #expect(header.floor.number == (try vector["floor"].number()))
            #expect(header.created.milliseconds == (try vector["created"].number()))
            #expect(header.lifetime == (try vector["lifetime"].number()))
            #expect(header.key.value == (try vector["key"].bytes16))
            #expect(header.bodyLength == (try vector["bodyLength"].number()))
            #expect(header.encoded == bytes)
        }
    }

    @Test func batch() throws {
        let vector = try Vector.file("batch")
        let bytes = try vector["bytes"].bytes
        var reader = try RecordBatch.Reader(bytes)
        var builder = try RecordBatch.Builder(topic: try vector["topic"].text)
        #expect(reader.topic == builder.topic)
        for record in try vector["records"].list {
            let read = try #require(try reader.next())
            var headers: [RecordHeader] = []
            for header in try record["headers"].list {
                headers.append(RecordHeader(try header["name"].text, try header["value"].optionalBytes))
            }
            let key = try record["key"].optionalBytes
            let value = try record["value"].optionalBytes
            let time = WallTime(milliseconds: try record["time"].number())
            let quality = Quality(rawValue: try record["quality"].number())
            let historical = try record["historical"].truth
            #expect(read.key == key)
            #expect(read.value == value)
            #expect(read.headers == headers)
            #expect(read.time == time)
            #expect(read.quality == quality)
            #expect(read.historical == historical)
            try builder.append(
                key: key, value: value, headers: headers, at: time, quality: quality, historical: historical)
        }
        let end = try reader.next()
        #expect(end == nil)
        #expect(builder.finish() == bytes)
    }

    /// Another version of a library may compress to other bytes, so only the way back is fixed.
    @Test func compression() throws {
        for vector in try Vector.file("compression").list {
            let part = try vector["part"].bytes
            #expect(Compression(rawValue: part[0])?.description == (try vector["codec"].text))
            #expect(try Compression.unpack(part) == (try vector["plain"].bytes))
        }
    }

    private func hexadecimal(_ secret: borrowing SecretBytes) -> String {
        secret.withUnsafeBytes { Hexadecimal.encode($0) }
    }

    private func record(_ vector: Vector) throws -> KeyRecord {
        func time(_ name: String) throws -> WallTime { WallTime(milliseconds: try vector[name].number()) }
        let life = try #require(
            KeyLife(
                created: time("created"), notBefore: time("notBefore"), softEnd: time("softEnd"),
                hardEnd: time("hardEnd")))
        return try KeyRecord(
            generation: vector["generation"].number(), creator: NodeName(vector["creator"].text), life: life,
            keyRoot: SecretBytes(copying: vector["keyRoot"].bytes),
            codeRoot: SecretBytes(copying: vector["codeRoot"].bytes))
    }

    @Test func derivation() throws {
        let vector = try Vector.file("keys")
        let record = try record(vector)
        let source = NodeID(of: try NodeName(vector["source"].text))
        let destination = NodeID(of: try NodeName(vector["destination"].text))
        let stream = StreamID(try vector["stream"].bytes16)
        #expect(source.value == (try vector["sourceID"].bytes16))
        #expect(destination.value == (try vector["destinationID"].bytes16))
        #expect(record.digest.bytes == (try vector["digest"].bytes))
        let pairKey = SharedSecret(
            Derivation.pair(record.keyRoot, Derivation.pairKeyLabel, destination, source))
        let pairCode = SharedSecret(
            Derivation.pair(record.codeRoot, Derivation.pairCodeLabel, source, destination))
        #expect(hexadecimal(pairKey.bytes) == (try vector["pairKey"].text))
        #expect(hexadecimal(pairCode.bytes) == (try vector["pairCode"].text))
        func streamKey(_ pair: SharedSecret, _ label: String) -> String {
            hexadecimal(
                Derivation.stream(pair, label, from: source, to: destination, stream: stream, key: record.digest))
        }
        #expect(streamKey(pairKey, Derivation.trafficLabel) == (try vector["trafficKey"].text))
        #expect(streamKey(pairCode, Derivation.codeLabel) == (try vector["codeKey"].text))
        #expect(streamKey(pairCode, Derivation.digestLabel) == (try vector["digestKey"].text))
        let structures = try vector["structures"].list
        #expect(structures.count == StructureCode.Version.allCases.count * Header.Kind.allCases.count)
        for structure in structures {
            let kind = try #require(try Header.Kind.allCases.first { $0.description == (try structure["kind"].text) })
            let version = try version(structure)
            #expect(StructureCode.text(kind, version) == (try structure["text"].text))
            #expect(StructureCode.bytes(kind, version) == (try structure["code"].bytes))
        }
    }

    private func version(_ vector: Vector) throws -> StructureCode.Version {
        try #require(StructureCode.Version(rawValue: try vector["version"].number()))
    }

    @Test func sealedEnvelopes() throws {
        let keys = try Vector.file("keys")
        let record = try record(keys)
        let (from, to) = (try NodeName(keys["source"].text), try NodeName(keys["destination"].text))
        var receiver = Keychain(holder: to)
        try receiver.insert(record.grant(to: to, for: [from]))
        var opener = Opener(receiver)
        for vector in try Vector.file("envelope").list {
            let envelope = try vector["envelope"].bytes
            let batch = try vector["batch"].bytes
            #expect(try opener.open(envelope) == batch)
            guard try vector["codec"].text == "none", try version(vector) == .second else { continue }
            var sender = Keychain(holder: from)
            try sender.insert(record.grant(to: from, for: [to]))
            let pair = try #require(sender.sealing(for: receiver.holderID, at: record.life.notBefore))
            let header = try Header(envelope)
            var sealer = Sealer(pair, from: header.source, to: header.destination, stream: header.stream)
            var sealed: [UInt8] = []
            try sealer.seal(
                batch, kind: header.kind, sequence: header.sequence, floor: header.floor, created: header.created,
                lifetime: header.lifetime, lane: header.lane, into: &sealed)
            #expect(sealed == envelope)
        }
    }
}
