/// Why an operation on a file failed.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Operation: String, Hashable, Sendable {
        case open, create, list, read, write, synchronize, rename, remove, truncate, inspect, lock
        case createDirectory = "create directory"
        case synchronizeDirectory = "synchronize directory"
    }

    /// What a program can act upon; everything else is `other`.
    public enum Kind: Hashable, Sendable {
        case missing, exists, noSpace, notPermitted, locked, tooLong
        /// The file system does not do this at all.
        case unsupported
        case other
    }

    public var operation: Operation
    public var path: String
    public var kind: Kind
    /// The system's own words, or what was found instead of what was expected.
    public var reason: String

    public init(_ operation: Operation, path: String, kind: Kind, reason: String) {
        self.operation = operation
        self.path = path
        self.kind = kind
        self.reason = reason
    }

    public var description: String { "cannot \(operation.rawValue) \(path): \(reason)" }
}
