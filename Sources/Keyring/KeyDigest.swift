import Envelope

/// The hash of a whole key record: names the epoch, and binds whoever names it to its very key and code.
public struct KeyDigest: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let size = 32

    /// 32 bytes.
    public let bytes: [UInt8]
    /// What stands in a header: the first 16 bytes.
    public let id: KeyID

    /// nil unless there are 32 bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == KeyDigest.size else { return nil }
        self.bytes = bytes
        id = KeyID(Bytes16(bytes[..<16]))
    }

    /// 64 lower-case hexadecimal digits.
    public var description: String { Hexadecimal.encode(bytes) }

    public static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

/// Where an epoch is in its life. It only ever goes forward, so two managers that disagree take the later.
public enum KeyState: UInt8, CaseIterable, Comparable, Sendable, CustomStringConvertible {
    /// Handed out, not yet preferred.
    case shared = 0
    /// Seals and opens.
    case active = 1
    /// Opens only.
    case retiring = 2
    /// Neither; its secrets are gone.
    case destroyed = 3

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public var canSeal: Bool { self < .retiring }
    public var canOpen: Bool { self < .destroyed }

    public var description: String {
        switch self {
        case .shared: "shared"
        case .active: "active"
        case .retiring: "retiring"
        case .destroyed: "destroyed"
        }
    }

    /// Reads the word a key file uses; nil for anything else.
    public init?(_ word: some StringProtocol) {
        guard let state = KeyState.allCases.first(where: { $0.description == word }) else { return nil }
        self = state
    }
}

/// When an epoch may be used, in wall time. Opening never depends on it, since a clock may be wrong; sealing does,
/// so that a forgotten key is noticed.
public struct KeyLife: Hashable, Sendable {
    public var created: WallTime
    /// Sealing begins.
    public var notBefore: WallTime
    /// A new epoch is due.
    public var softEnd: WallTime
    /// Sealing ends, whether or not there is a new epoch.
    public var hardEnd: WallTime

    /// nil unless `notBefore` < `softEnd` ≤ `hardEnd`, all within the years 1970 to 9999.
    public init?(created: WallTime, notBefore: WallTime, softEnd: WallTime, hardEnd: WallTime) {
        let writable = [created, notBefore, softEnd, hardEnd].allSatisfy { UTCTime.range.contains($0.milliseconds) }
        guard writable, notBefore < softEnd, softEnd <= hardEnd else { return nil }
        self.created = created
        self.notBefore = notBefore
        self.softEnd = softEnd
        self.hardEnd = hardEnd
    }
}
