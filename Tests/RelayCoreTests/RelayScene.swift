import Envelope
import Link
import Mesh

@testable import Journal
@testable import RelayCore

/// Believes signatures of its own making: the bytes' checksum, sixteen times.
struct ChecksumTrust: AdvertisementTrust, ReceiptVerifier {
    private func signature(_ bytes: [UInt8]) -> [UInt8] {
        let sum = CRC32C.checksum(of: bytes)
        return (0..<16).flatMap { _ in (0..<4).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) } }
    }

    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) { (signature(bytes), [1]) }

    func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool {
        signature == self.signature(bytes)
    }

    /// A receipt's certificate must be the word 1.
    func verify(_ receipt: Receipt, from destination: NodeID, to source: NodeID) -> Bool { receipt.certificate == [1] }
}

/// A relay's machine with an exchange beside it, and the batch its journal would get.
final class RelayScene {
    let name: NodeName
    var machine: RelayMachine<ChecksumTrust>
    var exchange: Exchange
    var batch = JournalBatch()
    /// The payloads of its appends.
    var written: [UInt8] {
        var written: [UInt8] = []
        batch.forEachAppend { written += $1 }
        return written
    }
    var now = Instant(nanoseconds: 1_000_000_000)
    let machineBoot = Bytes16(low: 5, high: 6)

    init(
        _ name: String, flows: [FlowDeclaration] = [], memoryBytes: Int = 1 << 20, durability: Durability = .cutThrough
    ) throws {
        let node = try NodeName(name)
        self.name = node
        machine = RelayMachine(
            local: node, boot: 1, machineBoot: machineBoot,
            flows: try FlowTable(flows, identify: { Self.id($0) }), trust: ChecksumTrust(),
            wall: WallTime(milliseconds: 0), at: now, identify: { Self.id($0) })
        exchange = Exchange(
            node: node, kind: .relay, software: "test",
            forwarder: machine.makeForwarder(
                Forwarder.Configuration(
                    memoryBytes: memoryBytes, durability: durability, wordPause: .zero, hasStore: true)))
    }

    /// Some id that depends on the name alone.
    static func id(_ name: String) -> NodeID {
        NodeID(Bytes16(low: UInt64(CRC32C.checksum(of: Array(name.utf8))), high: UInt64(name.utf8.count)))
    }

    func facts() -> [RelayFact] { machine.takeFacts() }

    func perform(_ effects: [Effect]) { machine.perform(effects, &exchange, &batch, at: now) }

    func complete(_ completions: [JournalCompletion]) { machine.complete(completions, &exchange, at: now) }

    func linkUp(_ peer: String, _ kind: NodeKind = .relay) throws {
        let name = try NodeName(peer)
        let link = exchange.forwarder.link(to: Self.id(peer))
        machine.linkUp(link, name, kind, cost: 10, dialledByUs: true, &exchange, at: now)
    }

    /// What stands in the journal of an envelope that came an hour ago.
    func record(_ header: Header, boot: Bytes16? = nil, age: UInt32 = 0) -> [UInt8] {
        var bytes = ByteQueue()
        StoredEnvelope(
            hop: HopFields(hopLimit: 9, age: age), storedAt: Instant(nanoseconds: 1), boot: boot ?? machineBoot
        ).append(to: &bytes)
        bytes.append(header.encoded)
        bytes.append([UInt8](repeating: 7, count: Int(header.bodyLength)))
        return Array(bytes.readable)
    }

    /// - Returns: whether it was taken for an envelope.
    func recover(_ record: [UInt8], lsn: UInt64 = 4) -> Bool {
        record.withUnsafeBytes { bytes in
            machine.recover(
                ReplayedRecord(
                    lsn: LSN(lsn), kind: RecordKind(StoredEnvelope.recordKind), length: bytes.count, prefix: bytes),
                &exchange, at: now)
        }
    }

    static func header(to destination: String, bodyLength: UInt32 = 20) -> Header {
        Header(
            kind: .data, lane: .live, source: id("plant-a/agent-1"), destination: id(destination),
            stream: StreamID(Bytes16(low: 1, high: 1)), sequence: Sequence(1), floor: Sequence(1),
            created: WallTime(milliseconds: 0), lifetime: 86_400, key: KeyID(Bytes16(low: 1, high: 1)),
            bodyLength: bodyLength)
    }
}
