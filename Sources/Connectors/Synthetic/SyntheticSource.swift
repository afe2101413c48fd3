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
        guard let high = half(bytes, at: offset), let low = half(bytes, at: offset + 8) else { return nil }
        return high << 32 | low
    }

    /// Eight digits at once: `0` to `9` are 48 to 57, `a` to `f` 97 to 102.
    private static func half(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let text = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        guard text & (ones << 7) == 0 else { return nil }
        let isLetter = (text &+ 31 &* ones) >> 7 & ones
        var word = text &- 48 &* ones &- 39 &* isLetter
        // More than four bits are none of the digits, and so are a figure above 9 and what borrowed from its neighbour.
        guard word & (0xF0 &* ones) == 0, (word &+ 118 &* ones) >> 7 & ones == isLetter else { return nil }
        word = (word | word >> 4) & 0x00FF_00FF_00FF_00FF
        word = (word | word >> 8) & 0x0000_FFFF_0000_FFFF
        return (word | word >> 16) & 0xFFFF_FFFF
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
        let first = made
        var now: UInt64 = 0
        while made < target {
            if (made &- first) % Self.sameTime == 0 { now = UInt64(clocks.monotonic().nanoseconds) }
            stamp(made, at: now)
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

    /// Records for which the clock is read once, since that takes as long as making one. A stamp is early by the making of
    /// the others, so that a latency is never told too short.
    private static let sameTime: UInt64 = 16

    private func stamp(_ number: UInt64, at now: UInt64) {
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
