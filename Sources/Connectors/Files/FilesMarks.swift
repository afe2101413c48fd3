import Agent
import Envelope
import Glibc

/// What a files sink has committed: the state that one rename makes durable, all of it or nothing.
struct FilesMarks: Equatable {
    /// A file that grows.
    struct Output: Equatable {
        /// Bytes that are committed; what lies behind them is cut off after a crash.
        var length: UInt64 = 0
        /// The header row written last; 0 for none.
        var headerHash: UInt64 = 0
        /// The last record had no line end.
        var isOpenEnded = false
    }

    /// A file that is being put together.
    struct Part: Equatable {
        var source: NodeID
        var path: String
        /// Name in the directory of parts, never used twice.
        var file: String
        var length: UInt64
        /// The commit that touched it last.
        var touched: UInt64
    }

    /// A finished part on its way to its name; done again after a crash.
    struct Publication: Equatable {
        var file: String
        var target: String
    }

    struct Mark: Equatable {
        var sequence: UInt64
        var touched: UInt64
    }

    /// Streams remembered. A stream is a run of one source process; the ones heard of longest ago are forgotten.
    static let streams = 4_096
    /// Files under way at once; the ones touched longest ago are given up.
    static let parts = 1_024
    /// Growing files of one sink.
    static let outputs = 16_384
    private static let magic = "GRMARKS1"

    /// Counts commits.
    var commit: UInt64 = 0
    var streams: [StreamID: Mark] = [:]
    var outputs: [String: Output] = [:]
    var parts: [Part] = []
    var publications: [Publication] = []

    init() {}

    mutating func note(_ sequence: Sequence, of stream: StreamID) {
        streams[stream] = Mark(sequence: sequence.number, touched: commit)
        guard streams.count > Self.streams else { return }
        let oldest = streams.min { ($0.value.touched, $0.key) < ($1.value.touched, $1.key) }
        if let oldest { streams[oldest.key] = nil }
    }

    // MARK: Bytes

    var encoded: [UInt8] {
        var writer = StateWriter(magic: Self.magic)
        writer.append(commit)
        writer.append(UInt64(streams.count))
        for (stream, mark) in streams.sorted(by: { $0.key < $1.key }) {
            writer.append(stream.value.low)
            writer.append(stream.value.high)
            writer.append(mark.sequence)
            writer.append(mark.touched)
        }
        writer.append(UInt64(outputs.count))
        for (name, output) in outputs.sorted(by: { $0.key < $1.key }) {
            writer.append(name)
            writer.append(output.length)
            writer.append(output.headerHash)
            writer.append(output.isOpenEnded ? 1 : 0 as UInt64)
        }
        writer.append(UInt64(parts.count))
        for part in parts {
            writer.append(part.source.value.low)
            writer.append(part.source.value.high)
            writer.append(part.path)
            writer.append(part.file)
            writer.append(part.length)
            writer.append(part.touched)
        }
        writer.append(UInt64(publications.count))
        for publication in publications {
            writer.append(publication.file)
            writer.append(publication.target)
        }
        writer.seal()
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(StateReader.Malformed) {
        var reader = try StateReader(sealed: bytes, magic: Self.magic)
        commit = try reader.number()
        for _ in 0..<(try reader.count(ofAtLeast: 32)) {
            let stream = StreamID(Bytes16(low: try reader.number(), high: try reader.number()))
            streams[stream] = Mark(sequence: try reader.number(), touched: try reader.number())
        }
        for _ in 0..<(try reader.count(ofAtLeast: 32)) {
            let name = try reader.text()
            let output = Output(
                length: try reader.number(), headerHash: try reader.number(), isOpenEnded: try reader.number() != 0)
            outputs[name] = output
        }
        for _ in 0..<(try reader.count(ofAtLeast: 48)) {
            let source = NodeID(Bytes16(low: try reader.number(), high: try reader.number()))
            parts.append(
                Part(
                    source: source, path: try reader.text(), file: try reader.text(), length: try reader.number(),
                    touched: try reader.number()))
        }
        for _ in 0..<(try reader.count(ofAtLeast: 16)) {
            publications.append(Publication(file: try reader.text(), target: try reader.text()))
        }
        try reader.finish()
    }
}
