import Agent
import Envelope

/// What a discard sink has counted.
struct DiscardStatistics {
    private(set) var records: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var deliveries: UInt64 = 0
    private(set) var duplicates: UInt64 = 0
    /// Records without a synthetic stamp.
    private(set) var unstamped: UInt64 = 0
    private var firstTime: WallTime?
    private var lastTime: WallTime?
    private var lastArrival: Instant?
    /// The longest time between two arrivals, and when the second of them came.
    private var longestGap = Duration.zero
    private var longestGapEnd: WallTime?
    /// Numbers seen, by source node and topic: one synthetic job each.
    private var seen: [Origin: RangeSet] = [:]
    private var latency = LatencyHistogram()

    private struct Origin: Hashable {
        var source: NodeID
        var topic: String
    }

    /// Different stamped records, and all unstamped ones.
    var distinct: UInt64 { seen.values.reduce(unstamped) { $0 + $1.count } }
    var missing: UInt64 { seen.values.reduce(0) { $0 + $1.missing } }

    mutating func add(_ delivery: Delivery, at now: Instant) throws(ConnectorError) {
        do throws(EnvelopeError) {
            var reader = try RecordBatch.Reader(delivery.batch)
            let origin = Origin(source: delivery.source, topic: reader.topic)
            var numbers = seen.removeValue(forKey: origin) ?? RangeSet()
            while let record = try reader.next() {
                records += 1
                bytes += UInt64(record.valueRange?.count ?? 0)
                let stamp = record.withBytes { _, value in value.flatMap(SyntheticRecord.stamp) }
                guard let stamp else {
                    unstamped += 1
                    continue
                }
                if !numbers.insert(stamp.number) { duplicates += 1 }
                latency.add(UInt64(max(0, now.nanoseconds)) &- min(UInt64(max(0, now.nanoseconds)), stamp.nanoseconds))
            }
            seen[origin] = numbers
            deliveries += 1
        } catch {
            throw ConnectorError(.rejected, "a delivery holds a damaged record: \(error)")
        }
    }

    /// Something has arrived.
    mutating func note(_ time: WallTime, at now: Instant) {
        if firstTime == nil { firstTime = time }
        lastTime = time
        if let lastArrival, now - lastArrival > longestGap {
            longestGap = now - lastArrival
            longestGapEnd = time
        }
        lastArrival = now
    }

    /// One object; times in milliseconds since 1970, latencies and gaps in nanoseconds by the machine's monotonic clock
    /// (so only meaningful where source and sink are on one machine).
    var json: String {
        let members: [(String, String)] = [
            ("records", String(records)), ("bytes", String(bytes)), ("deliveries", String(deliveries)),
            ("distinct", String(distinct)), ("duplicates", String(duplicates)), ("missing", String(missing)),
            ("unstamped", String(unstamped)),
            ("firstTime", firstTime.map { String($0.milliseconds) } ?? "null"),
            ("lastTime", lastTime.map { String($0.milliseconds) } ?? "null"),
            ("longestGap", String(longestGap.wholeNanoseconds)),
            ("longestGapEnd", longestGapEnd.map { String($0.milliseconds) } ?? "null"),
            ("latencyP50", String(latency.quantile(0.5))), ("latencyP90", String(latency.quantile(0.9))),
            ("latencyP99", String(latency.quantile(0.99))), ("latencyP999", String(latency.quantile(0.999))),
            ("latencyMax", String(latency.largest)),
        ]
        return "{\n" + members.map { "  \"\($0.0)\": \($0.1)" }.joined(separator: ",\n") + "\n}\n"
    }
}
