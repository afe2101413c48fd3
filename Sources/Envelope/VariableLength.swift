/// Integers of one to ten bytes, seven bits a byte, lowest first (LEB128); signed ones in zig-zag order, so that
/// small negative numbers are short too.
enum VariableLength {
    /// Bytes that `value` takes.
    @inline(__always)
    static func size(_ value: UInt64) -> Int {
        // 9/64 of the number of significant bits, rounded up, counts groups of seven for every number up to 64.
        ((UInt64.bitWidth &- (value | 1).leadingZeroBitCount) &* 9 &+ 64) >> 6
    }

    @inline(__always)
    static func zigZag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    @inline(__always)
    static func zagZig(_ value: UInt64) -> Int64 { Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}

/// Writes into memory whose size the caller has computed and made.
struct BatchWriter {
    private var at: UnsafeMutableRawPointer

    init(_ start: UnsafeMutableRawPointer) { at = start }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        at.storeBytes(of: value, as: UInt8.self)
        at += 1
    }

    @inline(__always)
    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// Length and bytes; nil is length 0, n bytes are length n + 1.
    @inline(__always)
    mutating func optional(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return byte(0) }
        number(UInt64(bytes.count) &+ 1)
        raw(bytes)
    }

    @inline(__always)
    mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        at.copyMemory(from: base, byteCount: bytes.count)
        at += bytes.count
    }
}

/// Reads what ``BatchWriter`` wrote; every length is checked against the end. nil means: not so written.
struct BatchScanner {
    let bytes: UnsafeRawBufferPointer
    var position: Int
    /// Nothing at or behind it is read; never beyond `bytes`.
    var end: Int

    @inline(__always)
    mutating func byte() -> UInt8? {
        guard position < end else { return nil }
        defer { position &+= 1 }
        return bytes[position]
    }

    /// nil also for a number of more than 64 bits and one that is longer than it need be, so that each number
    /// has one spelling.
    @inline(__always)
    mutating func number() -> UInt64? {
        guard position < end else { return nil }
        let first = bytes[position]
        if first < 0x80 {
            position &+= 1
            return UInt64(first)
        }
        return longNumber()
    }

    private mutating func longNumber() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let next = byte() {
            if shift == 63, next > 1 { return nil }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return next == 0 ? nil : value }
            shift &+= 7
        }
        return nil
    }

    /// The next `count` bytes.
    @inline(__always)
    mutating func range(_ count: UInt64) -> Range<Int>? {
        guard count <= UInt64(end &- position) else { return nil }
        let start = position
        position &+= Int(count)
        return start..<position
    }

    /// Outer nil: malformed; inner nil: null.
    @inline(__always)
    mutating func optional() -> Range<Int>?? {
        guard let number = number() else { return .none }
        guard number > 0 else { return .some(nil) }
        guard let range = range(number &- 1) else { return .none }
        return .some(range)
    }
}
