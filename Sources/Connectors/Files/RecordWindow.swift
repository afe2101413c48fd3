import Agent

/// A sliding window over a file that is read record by record.
final class RecordWindow {
    /// Bytes read at once.
    private static let step = 256 << 10

    let file: OpenFile
    private(set) var bytes: [UInt8] = []
    /// Where in the file `bytes` begins.
    private var base: UInt64
    /// Where in `bytes` the next record begins.
    private var position = 0
    private var scanner: RecordScanner

    init(_ file: OpenFile, at offset: UInt64, kind: RecordScanner.Kind) {
        self.file = file
        base = offset
        scanner = RecordScanner(kind)
    }

    /// Where in the file the next record begins.
    var offset: UInt64 { base + UInt64(position) }

    /// Bytes behind the last whole record that the file holds so far.
    var unfinished: Int { bytes.count - position }

    /// The place in `bytes` of the next record's content, and its whole extent; nil where the file has no whole
    /// record for now. The record is passed over by ``advance(by:)``.
    func next() throws(ConnectorError) -> (content: Range<Int>, extent: RecordExtent)? {
        while true {
            let extent = bytes.withUnsafeBytes { scanner.next(in: $0, from: position) }
            if let extent { return (position..<position + extent.content, extent) }
            guard try refill() else { return nil }
        }
    }

    func advance(by extent: RecordExtent) { position += extent.total }

    /// Takes what the file ends with as a record without a line end.
    func unfinishedRecord() -> (content: Range<Int>, extent: RecordExtent) {
        scanner.reset()
        return (position..<bytes.count, RecordExtent(content: unfinished, lineEnd: 0))
    }

    /// False at the end of the file.
    private func refill() throws(ConnectorError) -> Bool {
        guard unfinished <= FilesSourceSettings.longestRecord else {
            throw ConnectorError(
                .configuration,
                "the record at byte \(offset) of '\(file.path)' is longer than \(FilesSourceSettings.longestRecord) bytes; is the file binary, or a quote left open? mode 'whole' takes any file"
            )
        }
        let more = try file.read(Self.step, at: base + UInt64(bytes.count))
        if more.isEmpty { return false }
        if position > 0 {
            bytes.removeSubrange(..<position)
            base += UInt64(position)
            position = 0
        }
        bytes.append(contentsOf: more)
        return true
    }
}
