/// Writes the bytes of checkpoints and mark files: numbers of eight bytes, lowest first; texts with their length.
struct StateWriter {
    private(set) var bytes: [UInt8]

    /// - Parameter magic: names kind and version of what follows.
    init(magic: String) { bytes = Array(magic.utf8) }

    mutating func append(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ number: Int64) { append(UInt64(bitPattern: number)) }

    mutating func append(_ value: some Swift.Sequence<UInt8>) {
        let value = Array(value)
        append(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func append(_ text: String) { append(text.utf8) }

    /// Ends with a hash of all before it, for what is kept on a disk.
    mutating func seal() { append(Fingerprint.hash(bytes)) }
}

/// Reads what ``StateWriter`` wrote. Every length is checked before anything is taken.
struct StateReader {
    /// The bytes are not what ``StateWriter`` writes.
    struct Malformed: Error {}

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8], magic: String) throws(Malformed) {
        guard bytes.starts(with: magic.utf8) else { throw Malformed() }
        rest = bytes.dropFirst(magic.utf8.count)
    }

    /// For bytes that end with a seal.
    init(sealed bytes: [UInt8], magic: String) throws(Malformed) {
        guard bytes.count >= 8 + magic.utf8.count else { throw Malformed() }
        try self.init(Array(bytes.dropLast(8)), magic: magic)
        let seal = bytes.suffix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        guard seal == Fingerprint.hash(bytes.dropLast(8)) else { throw Malformed() }
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number() throws(Malformed) -> UInt64 {
        guard rest.count >= 8 else { throw Malformed() }
        defer { rest = rest.dropFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func signed() throws(Malformed) -> Int64 { Int64(bitPattern: try number()) }

    /// A number of things to follow, each of at least `size` bytes.
    mutating func count(ofAtLeast size: Int) throws(Malformed) -> Int {
        let number = try number()
        guard number <= UInt64(rest.count / size) else { throw Malformed() }
        return Int(number)
    }

    mutating func bytes() throws(Malformed) -> [UInt8] {
        let length = try count(ofAtLeast: 1)
        defer { rest = rest.dropFirst(length) }
        return Array(rest.prefix(length))
    }

    mutating func text() throws(Malformed) -> String {
        guard let text = String(validating: try bytes(), as: UTF8.self) else { throw Malformed() }
        return text
    }

    func finish() throws(Malformed) {
        guard rest.isEmpty else { throw Malformed() }
    }
}
