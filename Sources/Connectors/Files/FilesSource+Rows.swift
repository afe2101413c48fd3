import Agent
import Envelope

/// A file that is being read record by record.
struct RowReading {
    var name: String
    var window: RecordWindow
    /// nil in mode `lines`.
    var header: CSVHeader?
    /// When the file last changed, the time of records that tell none.
    var modified: WallTime
}

extension FilesSource {
    /// Appends the whole records of a file, and what it ends with once it is at rest.
    func readRows(
        of file: ListedFile, _ progress: inout FileProgress, into batch: inout RecordBatch.Builder
    ) throws(ConnectorError) -> Step {
        // Nothing new, and nothing left over from the last look.
        if progress.offset == file.status.size { return .finished }
        guard let reading = try reading(of: file, from: progress.offset) else {
            return try isOver(file) ? .finished : .notAtRest
        }
        defer { rows = reading }
        let startedAt = progress.offset
        let step = try appendRecords(of: reading, file, &progress, into: &batch)
        if progress.offset != startedAt {
            try progress.takeFingerprints(of: reading.window.file)
            // The file may have grown since it was listed.
            let status = try reading.window.file.status()
            (progress.size, progress.modified) = (status.size, status.modified)
        }
        return step
    }

    private func appendRecords(
        of reading: RowReading, _ file: ListedFile, _ progress: inout FileProgress,
        into batch: inout RecordBatch.Builder
    ) throws(ConnectorError) -> Step {
        let window = reading.window
        while let (content, extent) = try window.next() {
            guard try append(content, extent, of: reading, progress, into: &batch) else { return .batchFull }
            window.advance(by: extent)
            progress.offset = window.offset
            progress.isOpenEnded = false
        }
        guard window.unfinished > 0 else { return .finished }
        let status = try window.file.status()
        guard status.size == window.offset + UInt64(window.unfinished), isAtRest(file.name, status) else {
            return .notAtRest
        }
        let (content, extent) = window.unfinishedRecord()
        guard try append(content, extent, of: reading, progress, into: &batch) else { return .batchFull }
        window.advance(by: extent)
        progress.offset = window.offset
        progress.isOpenEnded = true
        return .finished
    }

    /// The reading under way where it stands at `offset`, else a new one; nil where the file has vanished or has
    /// no whole header row.
    private func reading(of file: ListedFile, from offset: UInt64) throws(ConnectorError) -> RowReading? {
        if let rows, rows.name == file.name, rows.window.offset == offset { return rows }
        guard let open = try listing.open(file.name) else { return nil }
        let modified = WallTime(milliseconds: file.status.modified / 1_000_000)
        guard settings.mode == .csv else {
            let window = RecordWindow(open, at: offset, kind: .line)
            return RowReading(name: file.name, window: window, header: nil, modified: modified)
        }
        guard let header = try CSVHeader(open, settings: settings) else { return nil }
        let start = max(offset, UInt64(header.extent.total))
        let window = RecordWindow(open, at: start, kind: .row(separator: settings.separator))
        return RowReading(name: file.name, window: window, header: header, modified: modified)
    }

    /// A file at rest without a whole header row has no rows; one that vanished has none any more.
    private func isOver(_ file: ListedFile) throws(ConnectorError) -> Bool {
        guard let status = try FileStatus.at(listing.path(of: file.name)) else { return true }
        return isAtRest(file.name, status)
    }

    /// False where the batch has no room for the record.
    private func append(
        _ content: Range<Int>, _ extent: RecordExtent, of reading: RowReading, _ progress: FileProgress,
        into batch: inout RecordBatch.Builder
    ) throws(ConnectorError) -> Bool {
        let bytes = reading.window.bytes
        let lineEnd = bytes[content.upperBound..<content.lowerBound + extent.total]
        let headers = headers(of: reading, lineEnd: lineEnd, progress)
        var key: [UInt8]?
        var time = reading.modified
        var quality = Quality.good
        if let header = reading.header, header.hasColumns {
            let columns = header.keyAndTime(of: bytes[content])
            key = columns.key
            switch columns.time {
            case .none: break
            case .unreadable: quality = .uncertain
            case .at(let moment): time = moment
            }
        }
        let isAppended = try batch.takes(
            key: key, value: bytes[content], headers: headers, at: time, quality: quality)
        if isAppended { described = reading.name }
        return isAppended
    }

    /// The path and the header row go with the first record of a file in each batch: who has one batch can make
    /// sense of it.
    private func headers(of reading: RowReading, lineEnd: ArraySlice<UInt8>, _ progress: FileProgress)
        -> [RecordHeader]
    {
        var headers: [RecordHeader] = []
        if described != reading.name {
            headers.append(RecordHeader(FileHeaderName.path, reading.name))
            if let header = reading.header {
                headers.append(RecordHeader(FileHeaderName.csvHeader, header.row))
                if header.extent.lineEnd == 2 { headers.append(RecordHeader(FileHeaderName.csvHeaderEnd, "\r\n")) }
            }
        }
        if lineEnd.count != 1 { headers.append(RecordHeader(FileHeaderName.lineEnd, Array(lineEnd))) }
        if progress.isOpenEnded { headers.append(RecordHeader(FileHeaderName.continues, [])) }
        return headers
    }
}

extension RecordBatch.Builder {
    /// Appends a record; false where it belongs into the next batch.
    mutating func takes(
        key: [UInt8]?, value: some Collection<UInt8>, headers: [RecordHeader], at time: WallTime,
        quality: Quality = .good
    ) throws(ConnectorError) -> Bool {
        do throws(EnvelopeError) {
            try append(key: key, value: value, headers: headers, at: time, quality: quality)
            return true
        } catch {
            if error == .batchFull { return false }
            throw ConnectorError(.rejected, "a record cannot be sent: \(error)")
        }
    }
}
