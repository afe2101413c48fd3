import Agent
import Crypto
import Envelope

/// A whole file that is being sent, and the hash of what was sent of it.
struct ChunkReading {
    var name: String
    var file: OpenFile
    /// Bytes hashed.
    var offset: UInt64
    let hasher = FileHasher()
}

/// SHA-256 over a file that is read bit by bit; a class so that it can rest in a struct that is copied.
final class FileHasher {
    private var hash = SHA256()

    func update(_ bytes: [UInt8]) { hash.update(bytes) }
    /// Ends the hash.
    func finish() -> [UInt8] { hash.finish() }

    /// The hash of the first `length` bytes of a file.
    /// - Throws: ``ConnectorError`` where the file is shorter.
    func update(with file: OpenFile, upTo length: UInt64) throws(ConnectorError) {
        var offset: UInt64 = 0
        while offset < length {
            let bytes = try file.read(Int(min(1 << 20, length - offset)), at: offset)
            guard !bytes.isEmpty else {
                throw ConnectorError(.transient, "'\(file.path)' is shorter than what was read of it before")
            }
            update(bytes)
            offset += UInt64(bytes.count)
        }
    }
}

extension FilesSource {
    /// Appends the chunks of a file at rest. Where the file changes on the way it is begun anew, once it is at rest
    /// again; the receiver then drops the part it has.
    func readChunks(
        of file: ListedFile, _ progress: inout FileProgress, into batch: inout RecordBatch.Builder
    ) throws(ConnectorError) -> Step {
        if progress.isComplete { return .finished }
        if progress.offset == 0, !isAtRest(file.name, file.status) { return .notAtRest }
        guard var reading = try chunkReading(of: file, from: progress.offset) else { return .finished }
        repeat {
            let count = Int(min(UInt64(settings.chunkBytes), file.status.size - progress.offset))
            guard batch.isEmpty || batch.hasRoom(for: count + 512, headers: 5) else {
                chunks = reading
                return .batchFull
            }
            let bytes = try reading.file.read(count, at: progress.offset)
            guard try reading.file.status() == file.status, bytes.count == count else {
                progress = FileProgress(file)
                chunks = nil
                return .notAtRest
            }
            reading.hasher.update(bytes)
            let end = progress.offset + UInt64(count)
            let hash = end == file.status.size ? reading.hasher.finish() : nil
            guard try append(bytes, of: file, at: progress.offset, hash: hash, into: &batch) else {
                // The hash has moved on without the chunk.
                chunks = nil
                return .batchFull
            }
            progress.offset = end
            progress.isComplete = hash != nil
            reading.offset = end
        } while !progress.isComplete
        chunks = nil
        return .finished
    }

    /// nil where the file has vanished.
    private func chunkReading(of file: ListedFile, from offset: UInt64) throws(ConnectorError) -> ChunkReading? {
        if let chunks, chunks.name == file.name, chunks.offset == offset { return chunks }
        guard let open = try listing.open(file.name) else { return nil }
        let reading = ChunkReading(name: file.name, file: open, offset: offset)
        try reading.hasher.update(with: open, upTo: offset)
        return reading
    }

    private func append(
        _ bytes: [UInt8], of file: ListedFile, at offset: UInt64, hash: [UInt8]?,
        into batch: inout RecordBatch.Builder
    ) throws(ConnectorError) -> Bool {
        let modified = file.status.modified / 1_000_000
        var headers = [
            RecordHeader(FileHeaderName.path, file.name),
            RecordHeader(FileHeaderName.offset, String(offset)),
            RecordHeader(FileHeaderName.size, String(file.status.size)),
            RecordHeader(FileHeaderName.modified, String(modified)),
        ]
        if let hash { headers.append(RecordHeader(FileHeaderName.hash, Hexadecimal.encode(hash))) }
        return try batch.takes(
            key: Array(file.name.utf8), value: bytes, headers: headers, at: WallTime(milliseconds: modified))
    }
}
