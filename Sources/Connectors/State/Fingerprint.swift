/// A short hash of some bytes of a file, to see whether it is still the file it was.
struct Fingerprint: Equatable {
    /// Bytes hashed; 0 for none.
    var length: UInt64
    var value: UInt64

    static let none = Fingerprint(length: 0, value: hash([]))

    init(length: UInt64, value: UInt64) {
        self.length = length
        self.value = value
    }

    init(_ bytes: [UInt8]) { self.init(length: UInt64(bytes.count), value: Self.hash(bytes)) }

    /// FNV-1a of 64 bits. It guards against accidents, not against an attacker: who may write the file may as
    /// well write what he likes into it.
    static func hash(_ bytes: some Swift.Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
