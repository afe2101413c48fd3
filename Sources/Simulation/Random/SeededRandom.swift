import Envelope

/// The only source of chance in a simulated run: SplitMix64 (Steele, Lea, Flood 2014), so that a seed tells all.
///
/// Everything that draws has a stream of its own, made with ``fork(_:)``. So a change of what one part draws, such as
/// a fault kind switched off, leaves the draws of the others as they were.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        var value = word
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// True with the probability `p`, 0 to 1. Draws nothing where that is 0.
    public mutating func chance(_ p: Double) -> Bool {
        p > 0 && Double(next() >> 11) * 0x1p-53 < p
    }

    /// A number from 0 to one less than `count`, each as likely to within 2⁻⁶⁴ of `count`.
    /// - Precondition: `count` is positive.
    public mutating func below(_ count: Int) -> Int {
        precondition(count > 0, "there is nothing to choose from")
        return Int(next().multipliedFullWidth(by: UInt64(count)).high)
    }

    /// A number within the range, both ends included. The range has fewer than 2⁶³ numbers.
    public mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// A fraction within the range.
    public mutating func fraction(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + Double(next() >> 11) * 0x1p-53 * (range.upperBound - range.lowerBound)
    }

    /// A time within the range, to the nanosecond.
    public mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        .nanoseconds(
            number(in: Int(range.lowerBound.wholeNanoseconds)...Int(range.upperBound.wholeNanoseconds)))
    }

    /// A stream of its own, told by the state of this one and the label. Does not change this one.
    public func fork(_ label: UInt64) -> SeededRandom {
        SeededRandom(seed: Self.mixed(state ^ Self.mixed(label &+ 0x632B_E59B_D9B4_E019)))
    }

    /// A stream of its own for what has this name.
    public func fork(_ label: some StringProtocol) -> SeededRandom {
        var hash = TraceHash()
        for byte in label.utf8 { hash.add(UInt64(byte)) }
        return fork(hash.value)
    }
}
