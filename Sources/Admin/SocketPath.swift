import Glibc

/// A path in the form the kernel wants it.
struct SocketPath {
    let text: String
    let address: sockaddr_un

    /// - Throws: ``ServerError/pathTooLong(_:limit:)`` for a path that does not fit the kernel's address.
    init(_ text: String) throws(ServerError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(text.utf8)
        // The kernel's field ends with a NUL.
        let capacity = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard !bytes.isEmpty, bytes.count <= capacity, !bytes.contains(0) else {
            throw .pathTooLong(text, limit: capacity)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        self.text = text
        self.address = address
    }

    var parent: String {
        guard let slash = text.lastIndex(of: "/") else { return "." }
        return slash == text.startIndex ? "/" : String(text[..<slash])
    }

    /// Calls `connect` or `bind` with the address; the result is theirs.
    func withAddress(_ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                call(generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
