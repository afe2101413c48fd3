import Agent
import Envelope
import Glibc

/// One chunk as its record headers describe it.
struct FileChunk {
    var path: String
    var offset: UInt64
    var size: UInt64
    /// Milliseconds since 1970.
    var modified: Int64
    /// Of the whole file, with the last chunk.
    var hash: [UInt8]?
    /// Where the content lies in the delivery's batch.
    var content: Range<Int>

    /// - Throws: ``ConnectorError`` of the rejected kind where the record is not a chunk, or lies about its size.
    init(_ record: RecordBatch.Record, of records: DeliveredRecords) throws(ConnectorError) {
        guard let path = records.path,
            let offset = records.text(of: FileHeaderName.offset).flatMap(UInt64.init),
            let size = records.text(of: FileHeaderName.size).flatMap(UInt64.init),
            let content = record.valueRange, size <= UInt64(Int64.max), offset <= size,
            UInt64(content.count) <= size - offset
        else {
            throw ConnectorError(
                .rejected, "a record is not a piece of a file; collect with mode 'whole' or deliver with mode 'append'")
        }
        self.path = path
        self.offset = offset
        self.size = size
        self.content = content
        modified = records.text(of: FileHeaderName.modified).flatMap(Int64.init) ?? 0
        hash = records.text(of: FileHeaderName.hash).flatMap { Hexadecimal.decode($0) }
        guard (hash != nil) == (offset + UInt64(content.count) == size) else {
            throw ConnectorError(.rejected, "a piece of a file ends elsewhere than it says")
        }
    }
}

extension FilesSink {
    /// Writes chunks behind the committed length of their parts, checks finished files against their hash, commits
    /// parts, finished files and marks together, and then gives the finished files their names.
    ///
    /// A part belongs to a source and a path, not to a stream: a source that was restarted goes on in a new stream
    /// where the old one stopped.
    func assemble(_ deliveries: [Delivery], in store: FilesStore) throws(ConnectorError) {
        var marks = store.marks
        var touched: Set<String> = []
        var created = 0
        for delivery in deliveries {
            var records = try DeliveredRecords(delivery)
            while let record = try records.next() {
                let chunk = try FileChunk(record, of: records)
                let target = try settings.name.name(topic: records.topic, source: records.source, path: chunk.path)
                _ = try OutputName(chunk.path)
                if try isDelivered(chunk, of: delivery, as: target.text, in: store, marks) { continue }
                let index = try part(for: chunk, of: delivery.source, in: &marks, &created)
                try write(chunk, of: delivery, to: &marks.parts[index], in: store)
                touched.insert(marks.parts[index].file)
                guard let hash = chunk.hash else { continue }
                let part = marks.parts.remove(at: index)
                try check(part, chunk: chunk, hash: hash, in: store)
                touched.remove(part.file)
                marks.publications.append(FilesMarks.Publication(file: part.file, target: target.text))
            }
            marks.note(delivery.sequence, of: delivery.stream)
        }
        for file in touched.sorted() {
            try store.step(.willSynchronize)
            try OpenFile(store.path(ofPart: file), flags: O_WRONLY).synchronize()
        }
        try store.synchronizeParts()
        let abandoned = Set(store.marks.parts.map(\.file)).subtracting(marks.parts.map(\.file))
            .subtracting(marks.publications.map(\.file))
        try store.commit(marks)
        try store.publish()
        for file in abandoned { unlink(store.path(ofPart: file)) }
    }

    /// A source that was restarted before it heard of its success sends the end of a file again, whose part is gone
    /// because the file has been put in its place. Such a chunk is there already, byte for byte.
    private func isDelivered(
        _ chunk: FileChunk, of delivery: Delivery, as target: String, in store: FilesStore, _ marks: FilesMarks
    ) throws(ConnectorError) -> Bool {
        guard chunk.offset > 0,
            !marks.parts.contains(where: { $0.source == delivery.source && $0.path == chunk.path }),
            let status = try FileStatus.at(store.path(of: target)), status.kind == .regular, status.size == chunk.size
        else { return false }
        let file = try OpenFile(store.path(of: target), flags: O_RDONLY)
        return try file.read(chunk.content.count, at: chunk.offset)[...] == delivery.batch[chunk.content]
    }

    /// The part a chunk belongs to, begun anew with the first chunk.
    private func part(
        for chunk: FileChunk, of source: NodeID, in marks: inout FilesMarks, _ created: inout Int
    ) throws(ConnectorError) -> Int {
        let existing = marks.parts.firstIndex { $0.source == source && $0.path == chunk.path }
        if chunk.offset > 0 {
            guard let existing, marks.parts[existing].length >= chunk.offset else {
                throw ConnectorError(
                    .rejected,
                    "a piece of a file arrived without what comes before it; touch the file at its source to have it sent again"
                )
            }
            return existing
        }
        if let existing { marks.parts.remove(at: existing) }
        created += 1
        marks.parts.append(
            FilesMarks.Part(
                source: source, path: chunk.path, file: "\(marks.commit + 1)-\(created)", length: 0,
                touched: marks.commit + 1))
        if marks.parts.count > FilesMarks.parts { marks.parts.removeFirst() }
        return marks.parts.count - 1
    }

    private func write(
        _ chunk: FileChunk, of delivery: Delivery, to part: inout FilesMarks.Part, in store: FilesStore
    ) throws(ConnectorError) {
        try store.step(.willWrite)
        // A chunk that is sent again after its source was restarted takes the place of what is there.
        let file = try OpenFile(store.path(ofPart: part.file), flags: chunk.offset == 0 ? O_RDWR | O_CREAT : O_RDWR)
        if chunk.offset == 0 { try file.truncate(to: 0) }
        try file.write(Array(delivery.batch[chunk.content]), at: chunk.offset)
        part.length = chunk.offset + UInt64(chunk.content.count)
    }

    /// Reads the finished part back and compares it with the hash its source made.
    private func check(
        _ part: FilesMarks.Part, chunk: FileChunk, hash: [UInt8], in store: FilesStore
    ) throws(ConnectorError) {
        let file = try OpenFile(store.path(ofPart: part.file), flags: O_RDWR)
        try file.truncate(to: chunk.size)
        let hasher = FileHasher()
        try hasher.update(with: file, upTo: chunk.size)
        guard hasher.finish() == hash else {
            throw ConnectorError(
                .rejected,
                "a file of \(chunk.size) bytes does not have the SHA-256 that its source told; it is not delivered")
        }
        try file.setModified(milliseconds: chunk.modified)
        try store.step(.willSynchronize)
        try file.synchronize()
    }
}

extension OpenFile {
    /// Sets the time of the last change.
    func setModified(milliseconds: Int64) throws(ConnectorError) {
        let seconds = milliseconds >= 0 ? milliseconds / 1_000 : (milliseconds - 999) / 1_000
        let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(milliseconds - seconds * 1_000) * 1_000_000)
        try setModified(time)
    }
}
