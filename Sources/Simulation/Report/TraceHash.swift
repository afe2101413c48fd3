/// A running hash of all that happened in a run; two runs with the same one did the same. Not for adversaries.
public struct TraceHash: Hashable, Sendable {
    public private(set) var value: UInt64 = 0x243F_6A88_85A3_08D3

    public init() {}

    @inline(__always)
    mutating func add(_ word: UInt64) {
        let product = (value ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        value = product.high ^ product.low &+ 0x1319_8A2E_0370_7344
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        while place + 8 <= bytes.count {
            add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        var rest: UInt64 = 0
        for index in place..<bytes.count { rest = rest << 8 | UInt64(bytes[index]) }
        add(rest ^ UInt64(bytes.count) << 56)
    }

    /// Of the bytes alone, and faster than ``add(_:)``: four sums side by side, none of which waits for another.
    static func digest(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        var lanes = (TraceHash(), TraceHash(), TraceHash(), TraceHash())
        var place = 0
        while place + 32 <= bytes.count {
            lanes.0.add(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            lanes.1.add(bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
            lanes.2.add(bytes.loadUnaligned(fromByteOffset: place + 16, as: UInt64.self))
            lanes.3.add(bytes.loadUnaligned(fromByteOffset: place + 24, as: UInt64.self))
            place += 32
        }
        lanes.0.add(UnsafeRawBufferPointer(rebasing: bytes[place...]))
        lanes.0.add(lanes.1.value)
        lanes.0.add(lanes.2.value)
        lanes.0.add(lanes.3.value)
        return lanes.0.value
    }

    mutating func add(_ text: StaticString) {
        add(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
