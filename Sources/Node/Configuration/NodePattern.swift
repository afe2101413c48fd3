import Envelope

/// A set of nodes by name: `zone/name`, where `*` in either part stands for any characters, and `*` alone for all nodes.
public struct NodePattern: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    private let zone: [UInt8]
    private let local: [UInt8]

    /// Every node of the mesh: `*`.
    public static let everyone = NodePattern(zone: "*", local: "*", description: "*")

    /// Just this node.
    public init(_ name: NodeName) {
        self.init(zone: name.zone.description, local: name.local, description: name.description)
    }

    /// nil for a text that could match no node's name.
    public init?(_ text: String) {
        if text == "*" {
            self = .everyone
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        // A legal pattern is a legal name once each '*' is a letter.
        let sample = text.split(separator: "*", omittingEmptySubsequences: false).joined(separator: "x")
        guard parts.count == 2, (try? NodeName(sample)) != nil else { return nil }
        self.init(zone: String(parts[0]), local: String(parts[1]), description: text)
    }

    private init(zone: String, local: String, description: String) {
        self.zone = Array(zone.utf8)
        self.local = Array(local.utf8)
        self.description = description
    }

    public func matches(_ name: NodeName) -> Bool {
        Self.matches(zone[...], Array(name.zone.description.utf8)[...])
            && Self.matches(local[...], Array(name.local.utf8)[...])
    }

    /// Goes back only to the last `*`, so that it takes at most pattern times name steps.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        let star = UInt8(ascii: "*")
        var (at, place) = (pattern.startIndex, name.startIndex)
        var retry: (pattern: Int, name: Int)?
        while place < name.endIndex {
            if at < pattern.endIndex, pattern[at] == star {
                retry = (at + 1, place)
                at += 1
            } else if at < pattern.endIndex, pattern[at] == name[place] {
                at += 1
                place += 1
            } else if let back = retry {
                retry = (back.pattern, back.name + 1)
                (at, place) = (back.pattern, back.name + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == star }
    }
}

extension NodePattern {
    /// True where some name could match both.
    public func overlaps(_ other: NodePattern) -> Bool {
        Self.overlap(zone, other.zone) && Self.overlap(local, other.local)
    }

    /// Table over both patterns: can what is left of the one and of the other match one text?
    private static func overlap(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let star = UInt8(ascii: "*")
        var below = [Bool](repeating: false, count: right.count + 1)
        for row in stride(from: left.count, through: 0, by: -1) {
            var current = [Bool](repeating: false, count: right.count + 1)
            for column in stride(from: right.count, through: 0, by: -1) {
                let (one, two) = (row < left.count ? left[row] : nil, column < right.count ? right[column] : nil)
                current[column] =
                    switch (one, two) {
                    case (nil, nil): true
                    case (star?, star?): below[column] || current[column + 1]
                    case (star?, _): below[column] || (two != nil && current[column + 1])
                    case (_, star?): current[column + 1] || (one != nil && below[column])
                    case (let one?, let two?): one == two && below[column + 1]
                    default: false
                    }
            }
            below = current
        }
        return below[0]
    }
}
