// What a batch holds, for who watches a journal from outside.
extension JournalBatch {
    /// Tokens and payloads of the appends, in their order.
    package func forEachAppend(_ body: (_ token: UInt64, UnsafeRawBufferPointer) -> Void) {
        walk { operation, first in
            guard case .append(_, let token, _, let place, _, _) = operation else { return }
            guard let place else { return body(token, first) }
            let whole = Array(first) + held[place].bytes
            whole.withUnsafeBytes { body(token, $0) }
        }
    }

    package func forEachRelease(_ body: (LSN) -> Void) {
        for case .release(let lsn, _) in operations { body(lsn) }
    }
}
