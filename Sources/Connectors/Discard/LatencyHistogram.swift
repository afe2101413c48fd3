/// Counts of durations in buckets that grow with the duration: each is known to within 1/32 of itself.
struct LatencyHistogram {
    private var buckets = [UInt64](repeating: 0, count: 60 * 32)
    private(set) var count: UInt64 = 0
    private(set) var largest: UInt64 = 0

    mutating func add(_ nanoseconds: UInt64) {
        buckets[min(Self.bucket(of: nanoseconds), buckets.count - 1)] += 1
        count += 1
        largest = max(largest, nanoseconds)
    }

    /// Nanoseconds that a share (0 to 1) of all durations do not exceed; 0 where there are none.
    func quantile(_ share: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = max(1, UInt64((Double(count) * share).rounded(.up)))
        var seen: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            seen += bucket
            if seen >= rank { return min(Self.upperBound(of: index), largest) }
        }
        return largest
    }

    /// 32 buckets for each doubling; below 32 ns one each.
    private static func bucket(of value: UInt64) -> Int {
        guard value >= 32 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 4) * 32 + Int(value >> UInt64(exponent - 5)) - 32
    }

    private static func upperBound(of bucket: Int) -> UInt64 {
        guard bucket >= 32 else { return UInt64(bucket) }
        let shift = UInt64(bucket / 32 - 1)
        return (UInt64(bucket % 32 + 32) << shift) + (1 << shift) - 1
    }
}
