// What a batch holds, for who watches a journal from outside.
extension JournalBatch {
    /// Tokens and payloads of the appends, in their order.
    package func forEachAppend(_ body: (_ token: UInt64, UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            for case .append(_, let token, let count, _, _) in operations {
                body(token, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
                offset += count
            }
        }
    }

    package func forEachRelease(_ body: (LSN) -> Void) {
        for case .release(let lsn, _) in operations { body(lsn) }
    }
}
