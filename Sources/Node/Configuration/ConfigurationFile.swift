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

extension NodeConfiguration {
    /// Reads and checks a node's file.
    /// - Throws: ``ConfigurationError`` with everything that is wrong, also where the file cannot be read.
    public static func load(
        path: String, environment: YAMLEnvironment = .process
    ) throws(ConfigurationError) -> NodeConfiguration {
        try decode(ConfigurationFile.read(path), file: path, environment: environment)
    }
}
