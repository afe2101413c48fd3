import Crypto
import Envelope
import Mesh

@testable import Node

extension Target {
    static let carriage = Target(
        "carriage", "files that people carry between relays, and answers made of their records",
        seeds: {
            var file = ByteQueue()
            file.append(CarriageRecord.name(Sample.peer))
            Sample.envelope(body: [1, 2, 3]).withUnsafeBytes { file.append(CarriageRecord.envelope(HopFields(), $0)) }
            file.append(CarriageRecord.stored([.init(stored: 4, length: 5)]))
            file.append(CarriageRecord.end(envelopes: 1, bytes: 107))
            let bytes = Array(file.readable)
            var damaged = bytes
            damaged[20] ^= 1
            return [
                ("file", bytes), ("damaged", damaged), ("cut", Array(bytes.dropLast(3))),
                ("name", [1] + Array("plant-a/agent".utf8)), ("no-name", [1] + Array("plant-a".utf8)),
                ("envelope", [2] + HopFields().encoded + [7]), ("no-hop", [2, 1, 1, 1, 1, 1, 1, 1, 1]),
                ("end", [3] + [UInt8](repeating: 1, count: 16)), ("no-end", [3, 1]),
                ("stored", [4] + [UInt8](repeating: 1, count: 24)), ("no-stored", [4, 1]), ("later", [9, 1]),
            ]
        },
        run: { input in
            readAll(input)
            // The sums would keep a fuzzer out: the same with them put right, the first byte for the kind.
            guard let kind = input.first else { return }
            let payload = UnsafeRawBufferPointer(rebasing: input.dropFirst())
            var head = ByteQueue()
            head.append(UInt32(kind))
            head.append(UInt32(payload.count))
            head.append(CRC32C.checksum(of: payload))
            head.append(CRC32C.checksum(of: head.readable))
            head.append(payload)
            readAll(head.readable)
        })

    private static func readAll(_ bytes: UnsafeRawBufferPointer) {
        var reader = CarriageReader(bytes)
        while true {
            let start = reader.offset
            do throws(CarriageReader.Failure) {
                guard let record = try reader.next() else {
                    return require(reader.offset == bytes.count, "all is read")
                }
                require(reader.offset > start, "a record has a length")
                if case .unknown = record { continue }
                var written = ByteQueue()
                written.append(record)
                require(
                    Array(written.readable) == Array(bytes[start..<reader.offset]), "a record is written as it was read"
                )
            } catch {
                require(!error.description.isEmpty, "a failure says what it is")
                guard case .damaged = error else { return require(reader.offset == start, "nothing is passed over") }
                require(reader.offset > start, "a damaged record is passed over")
            }
        }
    }

    static let quarantine = Target(
        "quarantine", "files of envelopes that are kept aside",
        seeds: {
            let note = QuarantineEntry.Note(
                .rejected, "does not fit", peer: "plant-a/relay", topic: "rows", sink: "table", attempt: "7")
            let whole = QuarantineFile.encode(note, received: Sample.now, Sample.envelope(body: [1]))
            let bare = QuarantineFile.encode(.init(.damaged, ""), received: Sample.now, [])
            return [
                ("whole", whole), ("bare", bare), ("cut", Array(whole.prefix(40))), ("front", Array(whole[16..<80])),
            ]
        },
        run: { input in
            tryQuarantined(Array(input))
            tryNoting(String(decoding: input, as: UTF8.self))
            // The same as a front of which length and sum are right.
            guard input.count <= Limits.quarantineFrontBytes else { return }
            var file = ByteQueue()
            file.append(Array("GRQUAR01".utf8))
            file.append(UInt32(input.count))
            file.append(CRC32C.checksum(of: input))
            file.append(input)
            tryQuarantined(Array(file.readable))
        })

    /// What is noted is kept as far as there is room for it, in whole characters.
    private static func tryNoting(_ text: String) {
        let note = QuarantineEntry.Note(.unopened, text, peer: text, topic: text + text, sink: "", attempt: nil)
        let bytes = QuarantineFile.encode(note, received: Sample.now, [1])
        require(bytes.count <= QuarantineFile.look, "a note has a bound")
        guard let file = bytes.withUnsafeBytes({ QuarantineFile($0) }) else {
            return require(false, "what is noted can be read")
        }
        require(text.hasPrefix(file.note.reason), "a reason is kept from its front")
        require(text.hasPrefix(file.note.peer ?? "") && file.note.sink == nil, "so are names; an empty one is none")
        require(file.note.reason == text || text.utf8.count > Limits.quarantineReasonBytes, "a short one is whole")
    }

    private static func tryQuarantined(_ bytes: [UInt8]) {
        guard let file = bytes.withUnsafeBytes({ QuarantineFile($0) }) else { return }
        require(file.offset <= bytes.count, "an envelope begins within the file")
        let envelope = Array(bytes[file.offset...])
        let again = QuarantineFile.encode(file.note, received: file.received, envelope)
        let read = again.withUnsafeBytes { QuarantineFile($0) }
        require(
            read?.received == file.received && read?.note.kind == file.note.kind, "what is noted is read as written")
        require(read.map { Array(again[$0.offset...]) } == envelope, "an envelope is kept as it came")
        require(
            again.count <= QuarantineFile.longest || envelope.count > Header.size + Limits.bodyBytes,
            "a file has a bound")
        let entry = QuarantineEntry(
            id: "a", note: file.note, received: file.received, header: try? Header(envelope), bytes: envelope.count)
        let shown = QuarantineReport.Entry(entry) { "\($0)" }
        require(shown.kind == file.note.kind.word, "it is shown as what it is")
    }
}
