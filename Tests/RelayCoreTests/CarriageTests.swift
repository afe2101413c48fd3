import Envelope
import Link
import Mesh
import Testing

@testable import Journal
@testable import RelayCore

/// Envelopes that are carried to a relay, and copies of those it has stored.
struct CarriageTests {
    private typealias Verdict = RelayMachine<ChecksumTrust>.CarriageVerdict

    private func scene(_ extra: [FlowDeclaration] = []) throws -> RelayScene {
        try RelayScene(
            "plant-b/relay-1",
            flows: extra + [
                FlowDeclaration(
                    name: "a-to-b", from: [try FlowPattern("plant-a/agent-1")], to: [try FlowPattern("plant-b/agent-1")]
                )
            ])
    }

    private func carry(_ bytes: [UInt8], _ hop: HopFields = HopFields(), into scene: RelayScene) -> Verdict {
        bytes.withUnsafeBytes { scene.machine.carry($0, hop, &scene.exchange, &scene.batch, at: scene.now) }
    }

    private func envelope(to destination: String = "plant-b/agent-1") -> [UInt8] {
        RelayScene.header(to: destination).encoded + [UInt8](repeating: 7, count: 20)
    }

    @Test func oneIsInTheRelaysCareOnceItIsDurable() throws {
        let scene = try scene()
        #expect(carry(envelope(), HopFields(hopLimit: 5, age: 77), into: scene) == .storing(ticket: 1))
        #expect(scene.accepted == 0)
        let appended = try #require(scene.appended.first)
        scene.complete([JournalCompletion(token: appended.token, lsn: LSN(9), outcome: .durable)])
        #expect(scene.accepted == 1)
        #expect(scene.carried == [.init(ticket: 1, isStored: true)])
        // As it is stored it can be carried on, one hop nearer and none the younger.
        #expect(scene.copies.copies == [.init(stored: 9, length: Header.size + 20)])
        #expect(Set(scene.copies.nodes) == [RelayScene.id("plant-a/agent-1"), RelayScene.id("plant-b/agent-1")])
        let stored = scene.written.withUnsafeBytes { StoredEnvelope($0) }
        #expect(stored?.hop == HopFields(hopLimit: 4, age: 77))
        #expect(Array(scene.written.dropFirst(StoredEnvelope.prefixBytes)) == envelope())
    }

    @Test func theStoresNoIsTold() throws {
        let scene = try scene()
        _ = carry(envelope(), into: scene)
        let token = try #require(scene.appended.first).token
        scene.complete([
            JournalCompletion(token: token, lsn: .none, outcome: .refused(.full(bytesInUse: 1, maxBytes: 1)))
        ])
        #expect(scene.carried == [.init(ticket: 1, isStored: false)])
        #expect(scene.accepted == 0)
    }

    @Test func whatMayNotPassALinkMayNotBeCarriedEither() throws {
        let scene = try scene()
        #expect(carry(envelope(to: "plant-c/agent-1"), into: scene) == .refused(.unknownNode))
        scene.machine.learn(
            [try NodeName("plant-a/agent-1"), try NodeName("plant-c/agent-1")], &scene.exchange, at: scene.now)
        #expect(carry(envelope(to: "plant-c/agent-1"), into: scene) == .refused(.notPermitted))
        #expect(carry(envelope(), HopFields(age: .max), into: scene) == .expired)
        for bytes in [[], Array(envelope().dropLast()), [UInt8](repeating: 0, count: 200)] {
            guard case .damaged = carry(bytes, into: scene) else {
                Issue.record("\(bytes.count) bytes are no envelope")
                continue
            }
        }
        #expect(scene.batch.isEmpty)
    }

    /// A flow that names a zone holds for nodes of which only a carrier has told.
    @Test func namesThatAreCarriedAreKnown() throws {
        let scene = try RelayScene(
            "plant-b/relay-1",
            flows: [
                FlowDeclaration(
                    name: "zones", from: [try FlowPattern("plant-a/*")], to: [try FlowPattern("plant-b/*")])
            ])
        #expect(carry(envelope(), into: scene) == .refused(.unknownNode))
        let names = [try NodeName("plant-a/agent-1"), try NodeName("plant-b/agent-1")]
        scene.machine.learn(names, &scene.exchange, at: scene.now)
        #expect(carry(envelope(), into: scene) == .storing(ticket: 1))
        scene.machine.learn(names, &scene.exchange, at: scene.now)
        #expect(scene.machine.router.taughtNames == names)
    }

    @Test func aFullFlowTakesNoMore() throws {
        let scene = try scene([
            FlowDeclaration(
                name: "small", from: [try FlowPattern("plant-a/agent-1")], to: [try FlowPattern("*")],
                quota: Quota(envelopes: 1))
        ])
        #expect(scene.recover(scene.record(RelayScene.header(to: "plant-b/agent-1"))))
        #expect(carry(envelope(), into: scene) == .refused(.storageFull))
    }

    /// A receipt that is carried lets go what waits for it, as one that passes does.
    @Test func aCarriedReceiptReleases() throws {
        let scene = try scene()
        #expect(scene.recover(scene.record(RelayScene.header(to: "plant-b/agent-1"))))
        let receipt = Receipt(
            entries: [.init(stream: StreamID(Bytes16(low: 1, high: 1)), mark: Sequence(1))], certificate: [1],
            signature: [UInt8](repeating: 0, count: Receipt.signatureBytes))
        let header = Header(
            kind: .receipt, lane: .control, source: RelayScene.id("plant-b/agent-1"),
            destination: RelayScene.id("plant-a/agent-1"), stream: StreamID(Bytes16(low: 9, high: 9)),
            sequence: Sequence(1), floor: Sequence(1), created: WallTime(milliseconds: 0), lifetime: 60,
            key: KeyID(Bytes16(low: 0, high: 0)), bodyLength: UInt32(receipt.encoded.count))
        #expect(carry(header.encoded + receipt.encoded, into: scene) == .storing(ticket: 1))
        let token = try #require(scene.appended.first).token
        scene.complete([JournalCompletion(token: token, lsn: LSN(9), outcome: .durable)])
        scene.perform(scene.exchange.takeEffects())
        scene.perform(scene.exchange.takeEffects())
        #expect(scene.copies.copies.map(\.stored) == [9], "only the receipt is left")
    }

    @Test func aCopyIsReadForWhoAsked() throws {
        let scene = try scene()
        let record = scene.record(RelayScene.header(to: "plant-b/agent-1"), age: 5)
        scene.machine.copy(4, for: 3, &scene.batch)
        let token = try #require(
            scene.batch.operations.lazy.compactMap { if case .read(LSN(4), let token) = $0 { token } else { nil } }
                .first)
        scene.complete([
            JournalCompletion(token: token, lsn: LSN(4), outcome: .bytes(RecordKind(1), record)),
            JournalCompletion(token: token, lsn: LSN(5), outcome: .refused(.notFound(LSN(5)))),
        ])
        let told = scene.facts().compactMap { fact in
            if case .copied(3, let stored, let copy) = fact { (stored, copy) } else { nil }
        }
        #expect(told.map(\.0) == [4, 5])
        let copy = try #require(told[0].1)
        #expect(copy.bytes == Array(record.dropFirst(StoredEnvelope.prefixBytes)))
        // A second has passed since it was stored.
        #expect(copy.hop == HopFields(hopLimit: 9, age: 1004))
        #expect(told[1].1 == nil)
    }
}

extension RelayScene {
    fileprivate struct Word: Equatable {
        var ticket: UInt64
        var isStored: Bool
    }

    fileprivate var accepted: UInt64 { exchange.forwarder.counters.accepted }

    fileprivate var copies: DurableCopies { exchange.forwarder.durableCopies { _, hasWay in !hasWay } }

    fileprivate var appended: [(token: UInt64, bytes: Int)] {
        batch.operations.compactMap {
            if case .append(_, let token, let bytes, _, _, _) = $0 { (token, bytes) } else { nil }
        }
    }

    fileprivate var carried: [Word] {
        facts().compactMap { fact in
            if case .carried(let ticket, let error) = fact { Word(ticket: ticket, isStored: error == nil) } else { nil }
        }
    }
}
