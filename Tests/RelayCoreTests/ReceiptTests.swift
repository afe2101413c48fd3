import Envelope
import Mesh
import Testing

@testable import Journal
@testable import RelayCore

/// A relay lets go of what a receipt says is delivered, and of nothing by a receipt that is not genuine.
struct ReceiptTests {
    /// A relay with one envelope in its store that has no way on.
    private func scene() throws -> RelayScene {
        let scene = try RelayScene("plant-a/relay-1")
        #expect(scene.recover(scene.record(RelayScene.header(to: "plant-b/agent-1"))))
        return scene
    }

    private func hear(_ scene: RelayScene, certificate: UInt8) {
        let entries = [Receipt.Entry(stream: StreamID(Bytes16(low: 1, high: 1)), mark: Sequence(1))]
        let receipt = Receipt(
            entries: entries, certificate: [certificate],
            signature: [UInt8](repeating: 0, count: Receipt.signatureBytes))
        let header = Header(
            kind: .receipt, lane: .control, source: RelayScene.id("plant-b/agent-1"),
            destination: RelayScene.id("plant-a/agent-1"), stream: StreamID(Bytes16(low: 9, high: 9)),
            sequence: Sequence(1), floor: Sequence(1), created: WallTime(milliseconds: 0), lifetime: 60,
            key: KeyID(Bytes16(low: 0, high: 0)), bodyLength: UInt32(receipt.encoded.count))
        scene.perform([.receipt(envelope: header.encoded + receipt.encoded)])
        scene.perform(scene.exchange.takeEffects())
    }

    @Test func aGenuineOneReleases() throws {
        let scene = try scene()
        hear(scene, certificate: 1)
        #expect(scene.receipted == 1)
        let released = scene.batch.operations.compactMap { if case .release(let lsn, _) = $0 { lsn } else { nil } }
        #expect(released == [LSN(4)])
    }

    @Test func aForgedOneDoesNot() throws {
        let scene = try scene()
        hear(scene, certificate: 2)
        #expect(scene.receipted == 0)
        #expect(scene.batch.operations.isEmpty)
    }

    @Test func bytesThatAreNoReceiptDoNothing() throws {
        let scene = try scene()
        for bytes in [[UInt8](), [UInt8](repeating: 3, count: Header.size), [UInt8](repeating: 0, count: 400)] {
            scene.perform([.receipt(envelope: bytes)])
        }
        #expect(scene.receipted == 0)
    }
}

extension RelayScene {
    // A copy, since an expectation cannot look into what is not copyable.
    fileprivate var receipted: UInt64 { exchange.forwarder.counters.receipted }
}
