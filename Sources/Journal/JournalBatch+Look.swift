// What a batch holds, for who watches a journal from outside.
extension JournalBatch {
    /// Tokens and payloads of the appends, in their order.
    package func forEachAppend(_ body: (_ token: UInt64, UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            for case .append(_, let token, let count, let place, _, _) in operations {
                let first = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
                offset += count
                guard let place else {
                    body(token, first)
                    continue
                }
                let whole = Array(first) + held[place].bytes
                whole.withUnsafeBytes { body(token, $0) }
            }
        }
    }

    package func forEachRelease(_ body: (LSN) -> Void) {
        for case .release(let lsn, _) in operations { body(lsn) }
    }
}
