import Glibc

/// Where one line or row ends within a buffer.
struct RecordExtent: Equatable {
    /// Bytes of the record without its line end.
    var content: Int
    /// Bytes of the line end: 0, 1 or 2.
    var lineEnd: Int

    var total: Int { content + lineEnd }
}

/// Finds the ends of lines and CSV rows in a byte stream that arrives in pieces.
///
/// A line ends with LF or CR LF. A row ends the same way, but not inside a quoted field (RFC 4180); a quote that
/// does not begin its field stands for itself, so that an inch sign in free text does not swallow the file.
/// The scanner remembers how far it has looked, so that a record of many pieces is scanned once.
struct RecordScanner {
    enum Kind: Equatable {
        case line
        case row(separator: UInt8)
    }

    private enum State { case fieldStart, plain, quoted, quoteInQuoted }

    private let kind: Kind
    private var state = State.fieldStart
    private var scanned = 0

    init(_ kind: Kind) { self.kind = kind }

    /// The extent of the record that begins at `start`; nil where its end is not in the buffer yet. Ask again
    /// with the same start and a longer buffer, or with the place behind the record just found.
    mutating func next(in bytes: UnsafeRawBufferPointer, from start: Int) -> RecordExtent? {
        let end = kind == .line ? endOfLine(in: bytes, from: start) : endOfRow(in: bytes, from: start)
        guard let end else { return nil }
        reset()
        let hasReturn = end > start && bytes[end - 1] == UInt8(ascii: "\r")
        return RecordExtent(content: end - start - (hasReturn ? 1 : 0), lineEnd: hasReturn ? 2 : 1)
    }

    /// Forgets a record that was begun.
    mutating func reset() {
        state = .fieldStart
        scanned = 0
    }

    private mutating func endOfLine(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let from = start + scanned
        guard from < bytes.count, let base = bytes.baseAddress else { return nil }
        if let found = memchr(base + from, 10, bytes.count - from) { return UnsafeRawPointer(found) - base }
        scanned = bytes.count - start
        return nil
    }

    private mutating func endOfRow(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard case .row(let separator) = kind else { return nil }
        var index = start + scanned
        while index < bytes.count {
            let byte = bytes[index]
            switch state {
            case .quoted:
                if byte == UInt8(ascii: "\"") { state = .quoteInQuoted }
            case .fieldStart, .plain, .quoteInQuoted:
                if byte == UInt8(ascii: "\n") { return index }
                if byte == separator {
                    state = .fieldStart
                } else if byte == UInt8(ascii: "\"") {
                    state = state == .plain ? .plain : .quoted
                } else {
                    state = .plain
                }
            }
            index += 1
        }
        scanned = bytes.count - start
        return nil
    }
}
