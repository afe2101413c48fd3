import Crypto
import Envelope
import Testing

@testable import Keyring

@Suite struct KeyFileTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func grant() throws -> KeyGrant {
        try Fixture.record().grant(
            to: Fixture.name("plant-a/agent"), for: [Fixture.name("plant-b/agent"), Fixture.name("cloud-a/manager")])
    }

    @Test func rootFileRoundTrip() throws {
        let record = try Fixture.record(generation: 7, state: .retiring)
        let read = try KeyRecord(file: record.file)
        #expect(read.digest == record.digest)
        #expect(read.state == .retiring)
        #expect(read.generation == 7)
        #expect(read.life == record.life)
        #expect(read.file == record.file)
    }

    @Test func grantFileRoundTrip() throws {
        let grant = try grant()
        let read = try KeyGrant(file: grant.file)
        #expect(read.file == grant.file)
        #expect(read.peers.map(\.description) == ["cloud-a/manager", "plant-b/agent"])
        #expect(read.digest == grant.digest)
        #expect(read.life == grant.life)
    }

    @Test func grantHoldsNoRoot() throws {
        let record = try Fixture.record()
        let file = text(try grant().file)
        for root in [record.keyRoot, record.codeRoot] {
            #expect(!file.contains(text(root.digits)))
        }
    }

    @Test func grantsOfBothEndsFit() throws {
        var sender = Keychain(holder: try Fixture.name("plant-a/agent"))
        try sender.insert(try KeyGrant(file: grant().file))
        let receiver = try Fixture.receiver()
        let keys = try #require(sender.sealing(for: receiver.holderID, at: Fixture.now))
        var sealer = Sealer(keys, from: sender.holderID, to: receiver.holderID, stream: Fixture.stream)
        var envelope: [UInt8] = []
        try sealer.seal(
            [1, 2], sequence: Sequence(1), floor: Sequence(1), created: Fixture.now, lifetime: 1, lane: .live,
            into: &envelope)
        var opener = Opener(receiver)
        #expect(try opener.open(envelope) == [1, 2])
    }

    @Test func everyTruncationIsRefused() throws {
        let grant = try grant().file
        for length in 0..<grant.count - 1 {
            #expect(throws: KeyFileError.self) { try KeyGrant(file: Array(grant[..<length])) }
        }
        let root = try Fixture.record().file
        for length in 0..<root.count - 1 {
            #expect(throws: KeyFileError.self) { try KeyRecord(file: Array(root[..<length])) }
        }
    }

    @Test func everyChangedByteIsRefusedInAGrant() throws {
        let file = try grant().file
        // The digits of the check itself are hexadecimal of one case only, so every change there shows too.
        for place in file.indices where file[place] != UInt8(ascii: "\n") {
            var changed = file
            changed[place] ^= 1
            #expect(throws: KeyFileError.self) { try KeyGrant(file: changed) }
        }
    }

    /// Errors say where, what and what to do, and never show a secret.
    @Test func errorsNameLineAndCure() throws {
        let file = text(try Fixture.record().file)
        func error(_ old: String, _ new: String) -> KeyFileError? {
            let range = file.firstRange(of: old)
            guard let range else { return nil }
            var changed = file
            changed.replaceSubrange(range, with: new)
            do throws(KeyFileError) {
                _ = try KeyRecord(file: Array(changed.utf8))
                return nil
            } catch {
                return error
            }
        }
        #expect(error("gridrelay-root-key v1", "gridrelay-root-key v2")?.line == 1)
        #expect(error("generation: 1", "generation: -1")?.line == 3)
        #expect(error("creator: cloud-a/keeper", "creator: cloud")?.line == 4)
        #expect(error("created: 20", "created: 1.20")?.line == 5)
        #expect(error("state: active", "state: lost")?.line == 9)
        #expect(error("state: active", "stat: active")?.problem.contains("known are generation, creator") == true)
        #expect(error("generation: 1", "generation: 2")?.problem.contains("digest") == true)
        #expect(error("generation: 1", "generation: 1\ngeneration: 1")?.problem.contains("twice") == true)
        #expect(error("state: active\n", "")?.problem.contains("'state' is missing") == true)
        #expect(error("state: active", "state active")?.problem.contains("'name: value'") == true)
        let secret = error("key-root: 00", "key-root: 0")
        #expect(secret?.description.contains("line 11") == true)
        #expect(secret?.description.contains("0102030405") == false)
    }

    @Test func oneKindIsNotTakenForTheOther() throws {
        let (root, grant) = (try Fixture.record().file, try grant().file)
        #expect(throws: KeyFileError.self) { try KeyRecord(file: grant) }
        #expect(throws: KeyFileError.self) { try KeyGrant(file: root) }
        #expect(throws: KeyFileError.self) { try KeyGrant(file: []) }
        #expect(throws: KeyFileError.self) { try KeyGrant(file: [UInt8](repeating: 0xFF, count: 100)) }
        #expect(throws: KeyFileError.self) {
            try KeyGrant(file: [UInt8](repeating: 10, count: Limits.keyFileBytes + 1))
        }
    }

    @Test func commentsAndBlankLinesSayNothing() throws {
        let record = try Fixture.record()
        let file = "\n# mine\n" + text(record.file).replacing("\n", with: "\r\n") + "\n \n"
        #expect(try KeyRecord(file: Array(file.utf8)).digest == record.digest)
    }
}

extension String {
    fileprivate func replacing(_ old: Character, with new: String) -> String {
        map { $0 == old ? new : String($0) }.joined()
    }

    fileprivate func firstRange(of text: String) -> Range<String.Index>? {
        indices.lazy.filter { self[$0...].hasPrefix(text) }.first.map { $0..<index($0, offsetBy: text.count) }
    }
}

@Suite struct UTCTimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (1_795_256_100_250, "2026-11-21T10:15:00.250Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func knownTimes(_ milliseconds: Int64, _ text: String) {
        #expect(UTCTime.text(WallTime(milliseconds: milliseconds)) == text)
        #expect(UTCTime.parse(text)?.milliseconds == milliseconds)
    }

    @Test func fractionMayBeLeftOut() {
        #expect(UTCTime.parse("1970-01-01T00:00:01Z")?.milliseconds == 1000)
    }

    @Test(arguments: [
        "", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-02-30T00:00:00Z",
        "2100-02-29T00:00:00Z", "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z",
        "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:60Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00.0000Z", "1970-01-01T00:00:00,000Z", "+970-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
    ])
    func otherTextIsRefused(_ text: String) {
        #expect(UTCTime.parse(text) == nil)
    }
}
