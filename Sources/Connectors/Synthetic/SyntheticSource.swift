import Agent
import Envelope

/// What a synthetic source makes.
public struct SyntheticSettings: Hashable, Sendable {
    /// Bytes of a record's value, at least ``SyntheticRecord/stampBytes``.
    public var recordBytes = 128
    /// Records a second; nil for as many as are taken.
    public var rate: Int?
    /// Records in all; nil for no end.
    public var count: UInt64?

    public init(recordBytes: Int = 128, rate: Int? = nil, count: UInt64? = nil) {
        self.recordBytes = recordBytes
        self.rate = rate
        self.count = count
    }
}

/// The layout of a synthetic record: 16 hexadecimal digits of its number (from 0), 16 of the monotonic clock in
/// nanoseconds when it was made, then filler.
public enum SyntheticRecord {
    /// Bytes of number and time.
    public static let stampBytes = 32
    /// Bytes of the longest record.
    public static let longest = 12 << 20

    static let digits = Array("0123456789abcdef".utf8)

    /// nil where the bytes are too short or no hexadecimal digits.
    static func stamp(of value: UnsafeRawBufferPointer) -> (number: UInt64, nanoseconds: UInt64)? {
        guard value.count >= stampBytes, let number = word(value, at: 0), let time = word(value, at: 16) else {
            return nil
        }
        return (number, time)
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64? {
        var word: UInt64 = 0
        for index in offset..<offset + 16 {
            switch bytes[index] {
            case 48...57: word = word << 4 | UInt64(bytes[index] - 48)
            case 97...102: word = word << 4 | UInt64(bytes[index] - 87)
            default: return nil
            }
        }
        return word
    }
}

/// Makes records out of nothing, for demonstrations and measurements.
///
/// The checkpoint is the number of records made. The same checkpoint gives the same numbers again, with the time
/// of the new making.
public final class SyntheticSource: Source {
    private let settings: SyntheticSettings
    private let clocks: Clocks
    private var value: [UInt8]
    /// Where the pace is counted from: so many records had been made at that time.
    private var pace: (made: UInt64, since: Instant)?

    public convenience init(_ settings: SyntheticSettings) { self.init(settings, clocks: .system) }

    init(_ settings: SyntheticSettings, clocks: Clocks) {
        self.settings = settings
        self.clocks = clocks
        let size = max(settings.recordBytes, SyntheticRecord.stampBytes)
        // Not one repeated byte, which compression would make nothing of.
        value = (0..<size).map { UInt8(33 + ($0 &* 2_654_435_761 >> 7) % 90) }
    }

    public func read(
        into batch: inout RecordBatch.Builder, after checkpoint: Checkpoint?
    ) throws(ConnectorError) -> ReadOutcome {
        var made = try Self.count(of: checkpoint)
        let (target, again) = target(after: made)
        let time = clocks.wall()
        while made < target {
            stamp(made)
            guard try append(to: &batch, at: time) else {
                return ReadOutcome(checkpoint: Self.checkpoint(made), hasMore: true)
            }
            made += 1
        }
        return ReadOutcome(checkpoint: made == 0 ? checkpoint : Self.checkpoint(made), hasMore: false, again: again)
    }

    /// Up to which number records are due, and when to ask again.
    private func target(after made: UInt64) -> (UInt64, Duration?) {
        let end = settings.count ?? .max
        guard let rate = settings.rate, made < end else { return (end, nil) }
        let now = clocks.monotonic()
        if pace == nil { pace = (made, now) }
        guard let pace else { return (made, nil) }
        let elapsed = max(0, (now - pace.since).wholeNanoseconds)
        let due = UInt64(Double(elapsed) / 1e9 * Double(rate))
        let step = Duration.nanoseconds(max(1_000_000, 1_000_000_000 / Int64(max(1, rate))))
        return (min(end, max(made, pace.made &+ due)), step)
    }

    private func stamp(_ number: UInt64) {
        let now = UInt64(clocks.monotonic().nanoseconds)
        value.withUnsafeMutableBytes { bytes in
            SyntheticRecord.digits.withUnsafeBytes { digits in
                for index in 0..<16 {
                    let shift = UInt64(60 - 4 * index)
                    bytes[index] = digits[Int(truncatingIfNeeded: number >> shift & 15)]
                    bytes[16 + index] = digits[Int(truncatingIfNeeded: now >> shift & 15)]
                }
            }
        }
    }

    private func append(to batch: inout RecordBatch.Builder, at time: WallTime) throws(ConnectorError) -> Bool {
        do throws(EnvelopeError) {
            try batch.append(key: nil as [UInt8]?, value: value, at: time)
            return true
        } catch {
            if error == .batchFull { return false }
            throw ConnectorError(.configuration, "recordBytes is too large: \(error)")
        }
    }

    private static let magic = "GRCOUNT1"

    private static func checkpoint(_ made: UInt64) -> Checkpoint {
        var writer = StateWriter(magic: magic)
        writer.append(made)
        return Checkpoint(writer.bytes)
    }

    private static func count(of checkpoint: Checkpoint?) throws(ConnectorError) -> UInt64 {
        guard let checkpoint else { return 0 }
        do throws(StateReader.Malformed) {
            var reader = try StateReader(checkpoint.bytes, magic: magic)
            let made = try reader.number()
            try reader.finish()
            return made
        } catch {
            throw .foreignCheckpoint("synthetic")
        }
    }
}
