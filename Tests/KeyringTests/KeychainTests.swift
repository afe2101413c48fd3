import Crypto
import Envelope
import Keyring
import Testing

@Suite struct KeychainTests {
    private let peer = "plant-b/agent"

    @Test func newestUsableEpochSeals() throws {
        let old = try Fixture.record(generation: 1)
        let new = try Fixture.record(generation: 2, salt: 1)
        var keychain = try Fixture.sender([new, old])
        let peer = NodeID(of: try Fixture.name(peer))
        #expect(keychain.epochs.map(\.generation) == [1, 2])
        #expect(keychain.sealing(for: peer, at: Fixture.now)?.id == new.id)
        keychain.advance(new.id, to: .retiring)
        #expect(keychain.sealing(for: peer, at: Fixture.now)?.id == old.id)
        keychain.advance(old.id, to: .destroyed)
        #expect(keychain.sealing(for: peer, at: Fixture.now) == nil)
        #expect(try keychain.opening(new.id, from: peer).id == new.id)
        #expect(throws: OpenError.destroyedKey(old.id)) { try keychain.opening(old.id, from: peer) }
    }

    @Test func sealingKeepsToTheEpochsLife() throws {
        let life = try Fixture.life()
        let keychain = try Fixture.sender()
        let peer = NodeID(of: try Fixture.name(peer))
        func seals(_ milliseconds: Int64) -> Bool {
            keychain.sealing(for: peer, at: WallTime(milliseconds: milliseconds)) != nil
        }
        #expect(!seals(life.notBefore.milliseconds - 1))
        #expect(seals(life.notBefore.milliseconds))
        #expect(seals(life.hardEnd.milliseconds - 1))
        #expect(!seals(life.hardEnd.milliseconds))
    }

    /// Who keeps an answer must ask again at the edges of every epoch's life, and need not before.
    @Test func anAnswerHoldsUntilAnEpochBeginsOrEnds() throws {
        let life = try Fixture.life()
        let keychain = try Fixture.sender()
        let peer = NodeID(of: try Fixture.name(peer))
        var now = WallTime(milliseconds: life.notBefore.milliseconds - 5)
        var changes: [WallTime] = []
        while now.milliseconds < .max {
            let next = keychain.nextChange(after: now)
            #expect(next > now)
            let answer = keychain.sealing(for: peer, at: now)?.id
            #expect(keychain.sealing(for: peer, at: WallTime(milliseconds: next.milliseconds - 1))?.id == answer)
            changes.append(next)
            now = next
        }
        #expect(changes == [life.notBefore, life.hardEnd, WallTime(milliseconds: .max)])
    }

    @Test func stateOnlyGoesForward() throws {
        let record = try Fixture.record()
        var keychain = try Fixture.sender([record])
        keychain.advance(record.id, to: .destroyed)
        keychain.advance(record.id, to: .active)
        #expect(keychain.epochs.map(\.state) == [.destroyed])
        try keychain.insert(record.grant(to: Fixture.name("plant-a/agent"), for: [Fixture.name(peer)]))
        #expect(keychain.epochs.map(\.state) == [.destroyed])
        let unknown = try Fixture.record(salt: 9)
        let isKnown = keychain.advance(unknown.id, to: .destroyed)
        #expect(!isKnown)
    }

    @Test func anotherNodesGrantIsRefused() throws {
        var keychain = Keychain(holder: try Fixture.name("plant-a/agent"))
        let other = try Fixture.name("plant-c/agent")
        let grant = try Fixture.record().grant(to: other, for: [Fixture.name(peer)])
        #expect(throws: KeychainError.wrongHolder(other, expected: keychain.holder)) { try keychain.insert(grant) }
        #expect(keychain.epochs.isEmpty)
    }

    @Test func peersAreThoseOfTheNewGrant() throws {
        let record = try Fixture.record()
        var keychain = try Fixture.sender([record])
        try keychain.insert(record.grant(to: keychain.holder, for: [Fixture.name("plant-c/agent")]))
        #expect(keychain.sealing(for: NodeID(of: try Fixture.name(peer)), at: Fixture.now) == nil)
        #expect(keychain.sealing(for: NodeID(of: try Fixture.name("plant-c/agent")), at: Fixture.now) != nil)
    }

    @Test func digestDependsOnEveryField() throws {
        let life = try Fixture.life()
        let later = WallTime(milliseconds: life.created.milliseconds + 1)
        func digest(_ generation: UInt64, _ creator: String, _ life: KeyLife, _ key: UInt8, _ code: UInt8) throws
            -> KeyDigest
        {
            try KeyRecord(
                generation: generation, creator: Fixture.name(creator), life: life,
                keyRoot: SecretBytes(copying: [UInt8](repeating: key, count: 32)),
                codeRoot: SecretBytes(copying: [UInt8](repeating: code, count: 32))
            ).digest
        }
        var lives: [KeyLife] = []
        for field in [\KeyLife.created, \.notBefore, \.softEnd, \.hardEnd] {
            var changed = life
            changed[keyPath: field] = later
            lives.append(changed)
        }
        var digests = [
            try digest(1, "a/b", life, 1, 2), try digest(2, "a/b", life, 1, 2), try digest(1, "a/c", life, 1, 2),
            try digest(1, "a/b", life, 3, 2), try digest(1, "a/b", life, 1, 3),
        ]
        for changed in lives { digests.append(try digest(1, "a/b", changed, 1, 2)) }
        #expect(Set(digests).count == digests.count)
    }

    @Test func rootsHaveALength() throws {
        #expect(throws: CryptoError.self) {
            try KeyRecord(
                generation: 1, creator: Fixture.name("a/b"), life: Fixture.life(),
                keyRoot: SecretBytes(zeroed: 31), codeRoot: SecretBytes(zeroed: 32))
        }
    }
}
