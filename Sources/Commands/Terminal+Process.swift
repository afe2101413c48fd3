import Envelope
import Glibc

extension Terminal {
    /// The terminal, or the pipes, of this process.
    public static func ofProcess() -> Terminal {
        Terminal(
            write: { writeAll($0, to: STDOUT_FILENO) },
            talk: { writeAll(Array(($0 + "\n").utf8), to: STDERR_FILENO) },
            readInput: readAll,
            isInputTerminal: isatty(STDIN_FILENO) == 1,
            isOutputTerminal: isatty(STDOUT_FILENO) == 1,
            environment: readEnvironment(),
            now: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
            },
            pause: { duration in
                let milliseconds = max(0, duration.wholeMilliseconds)
                var time = timespec(
                    tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
                var rest = timespec()
                while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
                return true
            })
    }

    /// Gives up in silence where nobody reads any more, as in `relayctl … | head`.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno != EINTR {
                return
            }
        }
    }

    private static func readAll(limit: Int) -> [UInt8]? { readAll(descriptor: STDIN_FILENO, limit: limit) }

    /// Everything a descriptor gives; nil where it is more than the limit.
    static func readAll(descriptor: Int32, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                return bytes
            }
            guard bytes.count + count <= limit else { return nil }
            bytes += chunk.prefix(count)
        }
    }

    /// Only what the commands look at.
    private static func readEnvironment() -> [String: String] {
        let names = [
            "RELAY_SOCKET", "RELAY_TIMEOUT", "RELAY_COLOR", "NO_COLOR", "TERM", "LC_ALL", "LC_CTYPE", "LANG", "HOME",
            "PATH",
        ]
        var environment: [String: String] = [:]
        for name in names {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }
}
