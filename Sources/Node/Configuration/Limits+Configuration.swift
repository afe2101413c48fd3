import Envelope

extension Limits {
    /// Bytes of a configuration or topology file: a mesh of a thousand nodes takes a few hundred KiB.
    public static let configurationBytes = 4 << 20
    /// Depth of nesting in such a file; the deepest legal one has eight levels.
    public static let configurationDepth = 32
    /// Values and keys in such a file, so that a file of brackets cannot take a hundred times its size in memory.
    public static let configurationNodes = 200_000
    /// Bytes of one value after its variables are replaced.
    public static let configurationValueBytes = 64 << 10
    /// Bytes that all replaced variables of a file may come to.
    public static let configurationExpansionBytes = 4 << 20
    /// Problems shown of one file; the rest is counted.
    public static let configurationProblems = 20
}
