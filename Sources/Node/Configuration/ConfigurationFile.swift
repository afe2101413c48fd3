import Envelope
import Journal
import Platform

/// Reads the bytes of a configuration file.
enum ConfigurationFile {
    /// - Throws: ``ConfigurationError`` that says what the system said.
    static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        do throws(FileError) {
            return try Files.read(path, limit: Limits.configurationBytes)
        } catch {
            throw ConfigurationError(
                at: YAMLMark(file: path, line: 0, column: 0), "cannot be read: \(error.reason)")
        }
    }
}
