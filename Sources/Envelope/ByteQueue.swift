/// Bytes that come in at the back and go out at the front, in one block of memory owned by this value.
///
/// Grows by doubling and never past what the caller writes; `shrink()` gives the block back while it is empty, so
/// that an idle session costs next to nothing.
public struct ByteQueue: ~Copyable {
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var capacity = 0
    @usableFromInline var head = 0
    @usableFromInline var tail = 0
    /// No block is smaller.
    private static let leastBytes = 2048

    public init() {}

    deinit { base?.deallocate() }

    @inlinable public var count: Int { tail &- head }
    @inlinable public var isEmpty: Bool { head == tail }

    /// What can be read. Valid until the next mutating call.
    @inlinable public var readable: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base.map { UnsafeRawPointer($0 + head) }, count: count)
    }

    /// Takes bytes off the front.
    /// - Precondition: no more than ``count``.
    @inlinable public mutating func consume(_ bytes: Int) {
        precondition(bytes >= 0 && bytes <= count, "consumes no more than it holds")
        head &+= bytes
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Makes room for `bytes` more and gives the place; ``commit(_:)`` then says how many were written.
    @inlinable public mutating func reserve(_ bytes: Int) -> UnsafeMutableRawBufferPointer {
        if capacity &- tail < bytes { makeRoom(for: bytes) }
        return UnsafeMutableRawBufferPointer(start: base.map { $0 + tail }, count: bytes)
    }

    @inlinable public mutating func commit(_ bytes: Int) {
        precondition(bytes >= 0 && bytes <= capacity &- tail, "commits no more than was reserved")
        tail &+= bytes
    }

    @inlinable public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        reserve(bytes.count).copyMemory(from: bytes)
        commit(bytes.count)
    }

    public mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends an integer in little-endian order.
    @inlinable public mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        reserve(MemoryLayout<Value>.size).storeBytes(of: value.littleEndian, as: Value.self)
        commit(MemoryLayout<Value>.size)
    }

    /// Overwrites four bytes that were appended before: a length known only afterwards.
    /// - Precondition: they lie within what is held.
    public mutating func patch(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= count, "patches only what it holds")
        base?.storeBytes(of: value.littleEndian, toByteOffset: head + offset, as: UInt32.self)
    }

    public mutating func removeAll() {
        head = 0
        tail = 0
    }

    /// Gives memory back when nothing is held, but for what the next bytes would ask for at once.
    public mutating func shrinkToLeast() {
        if capacity > Self.leastBytes { shrink() }
    }

    /// Gives the memory back when nothing is held.
    public mutating func shrink() {
        guard isEmpty else { return }
        base?.deallocate()
        base = nil
        capacity = 0
        removeAll()
    }

    @usableFromInline mutating func makeRoom(for bytes: Int) {
        let held = count
        if held &+ bytes <= capacity, head >= capacity / 2 {
            base?.copyMemory(from: base! + head, byteCount: held)
        } else {
            var size = max(capacity, Self.leastBytes)
            while size < held + bytes { size *= 2 }
            let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            if let base {
                block.copyMemory(from: base + head, byteCount: held)
                base.deallocate()
            }
            base = block
            capacity = size
        }
        head = 0
        tail = held
    }
}

/// Reads little-endian integers and byte runs from a message of a peer, checking every length.
public struct ByteReader: ~Copyable {
    public let bytes: UnsafeRawBufferPointer
    @usableFromInline var place = 0

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var offset: Int { place }

    @inlinable public var remaining: Int { bytes.count - place }

    /// nil where the message ends first.
    ///
    /// Inlinable: without knowing the type, reading eight bytes costs more than a look into a table.
    @inlinable public mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        guard remaining >= MemoryLayout<Value>.size else { return nil }
        defer { place += MemoryLayout<Value>.size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Value.self))
    }

    public mutating func bytes16() -> Bytes16? {
        guard let low = integer(UInt64.self), let high = integer(UInt64.self) else { return nil }
        return Bytes16(low: low, high: high)
    }

    /// A run of exactly `count` bytes, borrowed from the message.
    public mutating func run(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, remaining >= count else { return nil }
        defer { place += count }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
    }

    /// UTF-8 text behind a one-byte length; nil where the message ends first or the bytes are not UTF-8.
    public mutating func shortText() -> String? {
        guard let count = integer(UInt8.self), let run = run(Int(count)) else { return nil }
        return String(validating: run, as: UTF8.self)
    }
}

extension ByteQueue {
    public mutating func append(_ value: Bytes16) {
        append(value.low)
        append(value.high)
    }

    /// Appends UTF-8 behind a one-byte length.
    /// - Precondition: at most 255 bytes.
    public mutating func append(shortText text: String) {
        let utf8 = Array(text.utf8)
        precondition(utf8.count <= 255, "a short text has at most 255 bytes")
        append(UInt8(utf8.count))
        append(utf8)
    }
}
