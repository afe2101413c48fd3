import Envelope
import Journal

@testable import Agent
@testable import AgentCore
@testable import Connectors
@testable import Mesh
@testable import Node

extension Target {
    static let checkpoints = Target(
        "checkpoints", "what connectors remember: checkpoints and marks",
        seeds: {
            var marks = FilesMarks()
            marks.note(Sequence(7), of: StreamID(Bytes16(low: 1, high: 2)))
            marks.outputs["a.csv"] = FilesMarks.Output(length: 100, headerHash: 3)
            var sql = SQLCheckpoint(greatest: .text("2026-01-01"))
            sql.delivered[5] = .init(position: 6, count: 1)
            return [
                ("files", FilesCheckpoint().encoded.bytes), ("sql", sql.encoded.bytes),
                ("marks", Array(marks.encoded.dropLast(8))),
            ]
        },
        run: { input in
            let bytes = Array(input)
            if let checkpoint = try? FilesCheckpoint(Checkpoint(bytes)) {
                require((try? FilesCheckpoint(checkpoint.encoded)) == checkpoint, "a checkpoint is read as written")
            }
            if let checkpoint = try? SQLCheckpoint(Checkpoint(bytes)) {
                require(
                    (try? SQLCheckpoint(checkpoint.encoded))?.encoded == checkpoint.encoded,
                    "a checkpoint is read as written")
            }
            // The seal at its end would hide what is before it.
            var sealed = bytes
            sealed.append(word: Fingerprint.hash(bytes))
            if let marks = try? FilesMarks(sealed) {
                require((try? FilesMarks(marks.encoded)) == marks, "marks are read as written")
            }
            if let name = try? OutputName(String(decoding: input, as: UTF8.self)) {
                require(!name.text.hasPrefix("/"), "an output is not written outside its directory")
                require(!name.text.split(separator: "/").contains(".."), "an output stays in its directory")
            }
        })

    static let outboxRecord = Target(
        "outbox-record", "what an agent's and a relay's store hold", longest: 2048,
        seeds: {
            let stored = StoredEnvelope(
                hop: HopFields(), storedAt: Instant(nanoseconds: 5), boot: Bytes16(low: 1, high: 2))
            let header = Sample.header(body: 3).encoded
            var front: [UInt8] = []
            header.withUnsafeBytes {
                let bytes = OutboxRecord.front(stored, header: $0, job: "rows", checkpoint: [1, 2, 3])
                front = Array(bytes.readable)
            }
            let bare = OutboxRecord.checkpoint(stored, origin: 9, job: "rows", checkpoint: [1])
            return [("envelope", front + [7, 8, 9]), ("checkpoint", Array(bare.readable))]
        },
        run: { input in
            if let stored = StoredEnvelope(input) {
                _ = stored.hop(at: Instant(nanoseconds: .max - 1), boot: stored.boot)
                _ = stored.hop(at: .zero, boot: stored.boot)
            }
            var repaired = Array(input)
            let place = StoredEnvelope.prefixBytes
            if repaired.count >= place + Header.size {
                repaired.replace(CRC32C.checksum(of: Array(repaired[place..<place + 100])), at: place + 100)
            }
            for kind in [OutboxRecord.envelopeKind, OutboxRecord.checkpointKind] {
                for bytes in [Array(input), repaired] {
                    guard let record = bytes.withUnsafeBytes({ OutboxRecord($0, kind: kind) }) else { continue }
                    guard let envelope = record.envelope(in: bytes) else { continue }
                    require(envelope.count >= Header.size, "an envelope has a header")
                }
            }
        })
}
