import Envelope

/// How a run ended.
public struct Outcome: Equatable, Sendable {
    /// Over every event's time, kind and node, and all bytes delivered.
    public var traceHash: UInt64
    public var steps: Int
    public var virtualTime: Duration
    public var violation: Violation?
    /// Faults that happened.
    public var faults: FaultCounts
    /// For a person; there is one where there is a violation.
    public var report: String?

    public init(
        traceHash: UInt64, steps: Int, virtualTime: Duration, violation: Violation?, faults: FaultCounts,
        report: String? = nil
    ) {
        self.traceHash = traceHash
        self.steps = steps
        self.virtualTime = virtualTime
        self.violation = violation
        self.faults = faults
        self.report = report
    }
}

/// Something that must never be, and was.
public struct Violation: Equatable, Sendable, CustomStringConvertible {
    public var text: String
    public var step: Int
    public var time: Duration
    public var node: NodeName?

    public init(text: String, step: Int, time: Duration, node: NodeName? = nil) {
        self.text = text
        self.step = step
        self.time = time
        self.node = node
    }

    /// The text without its numbers: two runs with the same kind broke the same rule.
    public var kind: String {
        var kind = ""
        for character in text {
            if !("0"..."9").contains(character) { kind.append(character) } else if kind.last != "#" { kind.append("#") }
        }
        return kind
    }

    public var description: String {
        "\(text)" + (node.map { ", at \($0)" } ?? "") + ", in step \(step) at \(time)"
    }
}
