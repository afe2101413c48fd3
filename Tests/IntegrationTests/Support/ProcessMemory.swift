import Glibc

/// What a process has in memory, as root sees it in /proc.
struct ProcessMemory {
    let pid: pid_t

    /// Whether any of the needles lies in memory that the process can read: heap, stacks, file maps.
    /// - Returns: which of them, by index.
    func search(for needles: [[UInt8]]) throws -> Set<Int> {
        guard let maps = TemporaryDirectory.contents("/proc/\(pid)/maps") else {
            throw SystemFailure("cannot read /proc/\(pid)/maps; this test needs root")
        }
        let memory = open("/proc/\(pid)/mem", O_RDONLY)
        guard memory >= 0 else { throw SystemFailure("cannot read /proc/\(pid)/mem; this test needs root") }
        defer { close(memory) }
        var found: Set<Int> = []
        var searched = 0
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, fields[1].hasPrefix("r"), !line.hasSuffix("[vvar]"), !line.hasSuffix("[vsyscall]")
            else { continue }
            searched += try search(memory, ends[0]..<ends[1], needles, &found)
        }
        guard searched > 1 << 20 else { throw SystemFailure(text: "only \(searched) bytes of memory could be read") }
        return found
    }

    private func search(
        _ memory: Int32, _ range: Range<UInt>, _ needles: [[UInt8]], _ found: inout Set<Int>
    ) throws -> Int {
        let step = 4 << 20
        let overlap = (needles.map(\.count).max() ?? 1) - 1
        var buffer = [UInt8](repeating: 0, count: step + overlap)
        var place = range.lowerBound
        var searched = 0
        while place < range.upperBound {
            let wanted = min(buffer.count, Int(range.upperBound - place))
            let count = pread(memory, &buffer, wanted, off_t(Int(bitPattern: place)))
            // A page that is mapped and cannot be read, such as one beyond the end of its file.
            guard count > 0 else { break }
            searched += count
            buffer.withUnsafeBytes { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                for (index, needle) in needles.enumerated() where contains(part, needle) { found.insert(index) }
            }
            place += UInt(min(step, count))
        }
        return searched
    }

    /// Resident bytes now.
    var residentBytes: Int {
        let text = String(decoding: TemporaryDirectory.contents("/proc/\(pid)/statm") ?? [], as: UTF8.self)
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }

    /// The most that was ever resident, in bytes.
    var peakResidentBytes: Int {
        let text = String(decoding: TemporaryDirectory.contents("/proc/\(pid)/status") ?? [], as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}

/// Whether the needle, of 8 bytes at least, lies in the bytes.
func contains(_ bytes: UnsafeRawBufferPointer, _ needle: [UInt8]) -> Bool {
    precondition(needle.count >= 8, "a shorter one is found by chance")
    guard let start = bytes.baseAddress, bytes.count >= needle.count else { return false }
    // The first eight bytes at once, since this runs over whole processes and also without optimisation.
    let wanted = needle.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    let end = bytes.count - needle.count + 1
    var place = 0
    while place < end, let hit = memchr(start + place, Int32(needle[0]), end - place) {
        let offset = UnsafeRawPointer(hit) - start
        if bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == wanted,
            needle.elementsEqual(bytes[offset..<offset + needle.count])
        {
            return true
        }
        place = offset + 1
    }
    return false
}

func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool { bytes.withUnsafeBytes { contains($0, needle) } }
