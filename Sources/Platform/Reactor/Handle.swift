import CUV

/// One libuv handle on the heap, with all its casts in this one place.
///
/// libuv keeps the address until its close callback has run, so the memory is freed there and nowhere else. The
/// object a handle reports to is not retained by it: whoever owns the handle closes it before going away.
struct Handle<Storage> {
    let pointer: UnsafeMutablePointer<Storage>

    private var base: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self)
    }

    /// - Throws: ``ReactorError`` where libuv refuses to start the handle.
    init(_ initialize: (UnsafeMutablePointer<Storage>) -> Int32) throws(ReactorError) {
        pointer = .allocate(capacity: 1)
        UnsafeMutableRawPointer(pointer).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<Storage>.size)
        let status = initialize(pointer)
        guard status >= 0 else {
            pointer.deallocate()
            throw ReactorError(status)
        }
    }

    /// The object that callbacks of this handle reach with ``owner(of:as:)``.
    func report(to owner: AnyObject) {
        base.pointee.data = Unmanaged.passUnretained(owner).toOpaque()
    }

    /// No callback of this handle runs after this returns.
    func close() {
        base.pointee.data = nil
        uv_close(base) { $0?.deallocate() }
    }

    /// The object a running callback belongs to; nil once its handle was closed.
    static func owner<Owner: AnyObject>(of pointer: UnsafeMutablePointer<Storage>?, as: Owner.Type) -> Owner? {
        guard let pointer else { return nil }
        let base = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self)
        guard let data = base.pointee.data else { return nil }
        return Unmanaged<Owner>.fromOpaque(data).takeUnretainedValue()
    }
}

/// The event loop could not have what it needs: a descriptor, memory, a signal number that exists.
public struct ReactorError: Error, Equatable, CustomStringConvertible {
    /// libuv's number, a negated errno.
    public let code: Int32

    init(_ code: Int32) { self.code = code }

    public var description: String {
        "the event loop failed: \(String(cString: uv_strerror(code))); check the limits of open files and memory"
    }
}
