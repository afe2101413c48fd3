import Envelope

/// Tells states of a machine apart, for a checker that must know whether it has been in one before: a hash of 128 bits
/// of all that influences what the machine does next. Two states with the same value are taken for one.
///
/// What is named at random is folded in as the place of its first appearance, so that two runs which differ in names
/// alone come to the same value. Not for adversaries.
package struct Fingerprint: Sendable {
    /// What two states are compared by.
    package struct Value: Hashable, Sendable {
        package var low: UInt64
        package var high: UInt64
    }

    package private(set) var value = Value(low: 0x243F_6A88_85A3_08D3, high: 0x1319_8A2E_0370_7344)
    /// Random names in the order they were first met.
    private var names: [Bytes16] = []

    package init() {}

    @inline(__always)
    package mutating func add(_ word: UInt64) {
        let low = (value.low ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        let high = (value.high ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        value.low = low.high ^ low.low &+ 0xA409_3822_299F_31D0
        value.high = high.high ^ high.low &+ 0x082E_FA98_EC4E_6C89
    }

    @inline(__always)
    package mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

    @inline(__always)
    package mutating func add(_ flag: Bool) { add(flag ? 1 as UInt64 : 0) }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        add(bytes.count)
        var place = 0
        while place + 8 <= bytes.count {
            add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        var rest: UInt64 = 0
        for index in place..<bytes.count { rest = rest << 8 | UInt64(bytes[index]) }
        add(rest)
    }

    package mutating func add(_ set: RangeSet) {
        add(set.ranges.count)
        for range in set.ranges {
            add(range.lowerBound)
            add(range.upperBound)
        }
    }

    /// A time, as what is left until then: all that is over is alike.
    package mutating func add(_ time: Instant, at now: Instant) {
        add(time == .never ? -1 : Int(max(.zero, time - now).wholeNanoseconds))
    }

    /// The random name of a session's numbering. Only whether two are the same can matter.
    package mutating func addName(_ name: Bytes16) {
        guard name != Bytes16(low: 0, high: 0) else { return add(-1) }
        if let place = names.firstIndex(of: name) { return add(place) }
        add(names.count)
        names.append(name)
    }
}
