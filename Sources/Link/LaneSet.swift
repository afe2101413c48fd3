import Envelope

/// Some of the three lanes.
@frozen
public struct LaneSet: OptionSet, Sendable {
    public var rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    @inlinable public init(_ lane: Lane) { rawValue = 1 << lane.rawValue }
}
