import Glibc

/// Looks for pieces of the data where they must not be.
struct PlaintextSearch: Sendable {
    /// What a search has seen.
    struct Finding: Equatable, Sendable {
        var bytes: UInt64 = 0
        var hits = 0

        static func + (left: Finding, right: Finding) -> Finding {
            Finding(bytes: left.bytes + right.bytes, hits: left.hits + right.hits)
        }
    }

    let markers: [[UInt8]]
    /// Bytes read at a time.
    private static let chunk = 1 << 20

    init(_ markers: [String]) { self.markers = markers.map { Array($0.utf8) }.filter { !$0.isEmpty } }

    /// For the secrets of a grant file: as the file has them, and as they are used.
    init(secretsOf grant: [UInt8]) {
        let lines = String(decoding: grant, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("peer: ") }
        let secrets = lines.flatMap { $0.split(separator: " ").dropFirst(2) }.map { Array($0.utf8) }
        markers = secrets + secrets.compactMap(Self.bytes)
    }

    /// nil for what are not pairs of hexadecimal digits.
    private static func bytes(_ digits: [UInt8]) -> [UInt8]? {
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard values.count == digits.count, values.count.isMultiple(of: 2), !values.isEmpty else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    func look(at bytes: [UInt8]) -> Finding {
        Finding(bytes: UInt64(bytes.count), hits: bytes.withUnsafeBytes { count(in: $0, from: 0) })
    }

    /// What lies in the files, also in parts of them that are no longer used.
    func look(atFiles paths: [String]) -> Finding {
        paths.reduce(Finding()) { sum, path in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { return sum }
            defer { close(descriptor) }
            return sum + look(descriptor, at: 0..<UInt64(Int64.max))
        }
    }

    /// The memory that a process can write.
    /// - Returns: nil where the system does not allow it.
    func look(atMemoryOf process: pid_t) -> Finding? {
        let descriptor = open("/proc/\(process)/mem", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let maps = try? LocalFile.read("/proc/\(process)/maps", limit: 16 << 20) else { return nil }
        let ranges = String(decoding: maps, as: UTF8.self).split(separator: "\n").compactMap(Self.writableRange)
        return ranges.reduce(Finding()) { $0 + look(descriptor, at: $1) }
    }

    /// Of a line such as `7f12a000-7f12b000 rw-p 00000000 00:00 0 [heap]`.
    static func writableRange(_ line: Substring) -> Range<UInt64>? {
        let words = line.split(separator: " ")
        guard words.count >= 2, words[1].hasPrefix("rw") else { return nil }
        let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
        return ends.count == 2 && ends[0] < ends[1] && ends[1] <= UInt64(Int64.max) ? ends[0]..<ends[1] : nil
    }

    private func look(_ descriptor: Int32, at range: Range<UInt64>) -> Finding {
        let overlap = (markers.map(\.count).max() ?? 1) - 1
        var buffer = [UInt8](repeating: 0, count: Self.chunk + overlap)
        var finding = Finding()
        var kept = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let wanted = Int(min(UInt64(Self.chunk), range.upperBound - position))
            let read = buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: kept), wanted, off_t(position))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { break }
            let filled = kept + read
            finding.bytes += UInt64(read)
            finding.hits += buffer.withUnsafeBytes {
                count(in: UnsafeRawBufferPointer(rebasing: $0[..<filled]), from: kept)
            }
            position += UInt64(read)
            // The end is looked at again with what follows it, for a marker that lies across.
            kept = min(overlap, filled)
            for index in 0..<kept { buffer[index] = buffer[filled - kept + index] }
        }
        return finding
    }

    /// - Parameter kept: hits that end within the first so many bytes were counted before.
    private func count(in bytes: UnsafeRawBufferPointer, from kept: Int) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        return markers.reduce(0) { sum, marker in
            var hits = 0
            var start = 0
            while start + marker.count <= bytes.count,
                let found = memchr(base + start, Int32(marker[0]), bytes.count - start - marker.count + 1)
            {
                let place = found - UnsafeMutableRawPointer(mutating: base)
                if place + marker.count > kept, memcmp(found, marker, marker.count) == 0 { hits += 1 }
                start = place + 1
            }
            return sum + hits
        }
    }
}
