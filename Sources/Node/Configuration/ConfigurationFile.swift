import Envelope
import Glibc

/// Reads the bytes of a configuration file.
enum ConfigurationFile {
    /// - Throws: ``ConfigurationError`` that says what the system said.
    static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        // One byte more than the limit, so that the parser sees that it is too long.
        while bytes.count <= Limits.configurationBytes {
            var count = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, initialized in
                count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            guard count > 0 else { break }
            bytes += chunk
        }
        return bytes
    }

    private static func failure(_ path: String) -> ConfigurationError {
        ConfigurationError(
            at: YAMLMark(file: path, line: 0, column: 0), "cannot be read: \(String(cString: strerror(errno)))")
    }
}
