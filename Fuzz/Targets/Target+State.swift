import Crypto
import Envelope
import Journal

@testable import Agent
@testable import AgentCore
@testable import Connectors
@testable import Mesh
@testable import Node

extension Target {
    static let checkpoints = Target(
        "checkpoints", "what connectors and agents remember: checkpoints, marks and the ledger of streams",
        seeds: {
            var marks = FilesMarks()
            marks.note(Sequence(7), of: StreamID(Bytes16(low: 1, high: 2)))
            marks.outputs["a.csv"] = FilesMarks.Output(length: 100, headerHash: 3)
            var sql = SQLCheckpoint(greatest: .text("2026-01-01"))
            sql.delivered[5] = .init(position: 6, count: 1)
            marks.parts = [.init(source: NodeID(of: Sample.peer), path: "a/b", file: "1", length: 9, touched: 2)]
            marks.publications = [.init(file: "2", target: "c.csv")]
            var mailbox = MailboxMarks()
            mailbox[Sample.stream] = Sequence(7)
            var files = StateWriter(magic: "GRFILES1")
            files.append(1 as UInt64)
            files.append("a.csv")
            for number in [1, 2, 300, 4, 200, 64, 7, 64, 8, 3] as [UInt64] { files.append(number) }
            var ledger = StreamLedger()
            let made = OutboxStream(
                id: Sample.stream, job: "rows", destination: NodeID(of: Sample.peer), lane: .live, chain: 1)
            for sequence in 1...3 as ClosedRange<UInt64> {
                ledger.stored(made, Sequence(sequence), records: 10, at: Sample.now)
            }
            ledger.expired(Sample.stream, Sequence(2), at: Sample.now)
            ledger.skipped(NodeID(of: Sample.peer), Sample.stream, 4...6, at: Sample.now)
            // The run puts kind and sum before it.
            let streams = Array(ledger.file.dropFirst(StreamLedger.magic.count + 4))
            let tooMany = Array(streams.prefix(16)) + [255, 255, 255, 255]
            let cuts = [10, 60, 115, 126, 150, streams.count - 3].map { ("ledger-\($0)", Array(streams.prefix($0))) }
            return cuts + [
                ("ledger", streams), ("ledger-more", streams + [0]), ("ledger-many", tooMany),
                ("none", FilesCheckpoint().encoded.bytes), ("files", files.bytes), ("sql", sql.encoded.bytes),
                ("marks", Array(marks.encoded.dropLast(8))), ("mailbox-marks", mailbox.encoded),
                ("mailbox-name", Array("\(Sample.stream)-00000000000000000007".utf8)),
                ("template", Array("{topic}/{source}-{path}.csv".utf8)),
            ]
        },
        run: { input in
            let bytes = Array(input)
            if let checkpoint = try? FilesCheckpoint(Checkpoint(bytes)) {
                require((try? FilesCheckpoint(checkpoint.encoded)) == checkpoint, "a checkpoint is read as written")
                for entry in checkpoint.entries { tryAdopting(entry) }
            }
            if let checkpoint = try? SQLCheckpoint(Checkpoint(bytes)) {
                require(
                    (try? SQLCheckpoint(checkpoint.encoded))?.encoded == checkpoint.encoded,
                    "a checkpoint is read as written")
            }
            tryMailbox(bytes)
            tryLedger(bytes)
            // The seal at its end would hide what is before it.
            var sealed = bytes
            sealed.append(word: Fingerprint.hash(bytes))
            if let marks = try? FilesMarks(sealed) {
                require((try? FilesMarks(marks.encoded)) == marks, "marks are read as written")
                var noted = marks
                let stream = StreamID(Bytes16(low: 77, high: 78))
                noted.note(Sequence(9), of: stream)
                require(
                    noted.streams[stream]?.sequence == 9 || marks.streams.count >= FilesMarks.streams, "it is noted")
                require(noted.streams.count <= max(FilesMarks.streams, marks.streams.count), "streams are bounded")
                tryGrowing(marks)
            }
            let text = String(decoding: input, as: UTF8.self)
            if let name = try? OutputName(text) { checkOutput(name) }
            guard let template = OutputTemplate(text) else { return }
            let bare = try? template.name(topic: "t", source: "../x", path: nil)
            require(bare == nil || !template.usesPath, "a template with a path needs one")
            let names = [bare, try? template.name(topic: text, source: "plant-a", path: "../\(text)")]
            for name in names.compactMap({ $0 }) { checkOutput(name) }
        })

    /// Marks take in what is new, and no more streams than they may.
    private static func tryGrowing(_ marks: FilesMarks) {
        var grown = marks
        grown.outputs["new", default: FilesMarks.Output()].length += 1
        require((try? FilesMarks(grown.encoded)) == grown, "marks that have grown are read as written")
        // Costly, so it is done with few.
        guard marks.streams.count == 1 else { return }
        for number in 0..<UInt64(FilesMarks.streams) {
            grown.note(Sequence(1), of: StreamID(Bytes16(low: number, high: 79)))
        }
        require(grown.streams.count == FilesMarks.streams, "streams are bounded")
    }

    /// What an agent knows of streams. The sum at its beginning would hide what is behind it.
    private static func tryLedger(_ bytes: [UInt8]) {
        var sealed = StreamLedger.magic
        let sum = CRC32C.checksum(of: bytes)
        sealed += (0..<4).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) } + bytes
        for file in [bytes, sealed] {
            guard var ledger = StreamLedger(file: file) else { continue }
            let again = StreamLedger(file: ledger.file)
            require(
                again?.outgoing == ledger.outgoing && again?.incoming == ledger.incoming
                    && again?.file == ledger.file, "a ledger is read as written")
            require(ledger.file.count <= StreamLedger.longestFile, "a ledger is bounded")
            let before = ledger.outgoing
            let stream = before.first?.stream ?? Sample.stream
            ledger.recovered(stream, Sequence(9), job: "rows", destination: NodeID(of: Sample.peer), at: Sample.now)
            ledger.expired(stream, Sequence(7), at: Sample.now)
            ledger.recovered { _ in Sequence(3) }
            ledger.receipted(stream, through: Sequence(8), at: Sample.now)
            ledger.delivered(NodeID(of: Sample.peer), stream, through: Sequence(5), at: Sample.now)
            let after = ledger.outgoing
            for entry in before {
                guard let raised = after.first(where: { $0.stream == entry.stream }) else { continue }
                require(raised.sent >= entry.sent && raised.receipted >= entry.receipted, "numbers only rise")
                require(raised.receipted <= raised.sent, "no more is receipted than was sent")
            }
            require(StreamLedger(file: ledger.file)?.outgoing == after, "a ledger that was raised is read as written")
        }
    }

    /// The marks of a mailbox, and the names of its files. The sum before them would hide what is behind it.
    private static func tryMailbox(_ bytes: [UInt8]) {
        let sum = CRC32C.checksum(of: bytes)
        for file in [bytes, (0..<4).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) } + bytes] {
            guard let marks = MailboxMarks(file) else { continue }
            require(MailboxMarks(marks.encoded)?.encoded == marks.encoded, "marks are read as written")
        }
        guard let name = MailboxName(String(decoding: bytes, as: UTF8.self)) else { return }
        var marks = MailboxMarks()
        require(marks[name.stream] == .none, "of a new stream nothing has come")
        marks[name.stream] = name.sequence
        marks[name.stream] = name.sequence
        require(MailboxMarks(marks.encoded)?[name.stream] == name.sequence, "a mark that was set is there")
        let delivery = Delivery(
            source: NodeID(of: Sample.peer), stream: name.stream, sequence: name.sequence, batch: [])
        require(
            MailboxName(MailboxName(delivery).description)?.sequence == name.sequence, "a name is read as written")
    }

    /// A file that was renamed or written to is the same file still.
    private static func tryAdopting(_ entry: FileProgress) {
        guard let root = try? FileStatus.at("/") else { return require(false, "there is a root directory") }
        let file = ListedFile(name: "b.csv", status: root)
        var moved = entry
        moved.adopt(file)
        require(moved.isSameFile(as: root) && moved.isUntouched(root), "what was adopted is known again")
        require(moved.offset == entry.offset && moved.name == file.name, "and read on from where it was")
        require(FileProgress(file).offset == 0, "a new file is read from its beginning")
    }

    private static func checkOutput(_ name: OutputName) {
        require(!name.text.hasPrefix("/"), "an output is not written outside its directory")
        require(!name.text.split(separator: "/").contains(".."), "an output stays in its directory")
    }

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
                let elsewhere = stored.hop(at: Instant(nanoseconds: 1), boot: .currentBoot)
                require(elsewhere.age >= stored.hop.age, "age does not go back")
            }
            var repaired = Array(input)
            let place = StoredEnvelope.prefixBytes
            if repaired.count >= place + Header.size {
                repaired.replace(CRC32C.checksum(of: Array(repaired[place..<place + 100])), at: place + 100)
            }
            for kind in [OutboxRecord.envelopeKind, OutboxRecord.checkpointKind] {
                for bytes in [Array(input), repaired] {
                    guard let record = bytes.withUnsafeBytes({ OutboxRecord($0, kind: kind) }) else { continue }
                    tryWriting(record, kind)
                    guard let envelope = record.envelope(in: bytes) else { continue }
                    require(envelope.count >= Header.size, "an envelope has a header")
                }
            }
        })

    /// A record that was read says the same when it is written and read again.
    private static func tryWriting(_ record: OutboxRecord, _ kind: RecordKind) {
        guard record.job.utf8.count <= 255, !record.isCheckpointCut else { return }
        let bytes: [UInt8]
        if let header = record.header {
            bytes = header.encoded.withUnsafeBytes {
                let front = OutboxRecord.front(
                    record.stored, header: $0, job: record.job, checkpoint: record.checkpoint)
                return Array(front.readable)
            }
        } else {
            guard let checkpoint = record.checkpoint else { return }
            let bare = OutboxRecord.checkpoint(
                record.stored, origin: record.origin, job: record.job, checkpoint: checkpoint)
            bytes = Array(bare.readable)
        }
        let again = bytes.withUnsafeBytes { OutboxRecord($0, kind: kind) }
        require(
            again?.job == record.job && again?.checkpoint == record.checkpoint && again?.origin == record.origin
                && again?.header == record.header, "a record is read as written")
    }
}
