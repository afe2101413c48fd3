/// How a record batch is made smaller before it is sealed.
public enum Compression: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    case none = 0
    /// The zlib format of RFC 1950.
    case zlib = 1
    /// One frame of RFC 8878.
    case zstd = 2

    public var description: String {
        switch self {
        case .none: "none"
        case .zlib: "zlib"
        case .zstd: "zstd"
        }
    }

    /// Reads the word a configuration uses; nil for anything else.
    public init?(_ word: some StringProtocol) {
        guard let codec = Compression.allCases.first(where: { $0.description == word }) else { return nil }
        self = codec
    }
}
