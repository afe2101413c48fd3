import Envelope

/// The world as a command sees it; tests hand in their own.
public struct Terminal: Sendable {
    /// Writes data to standard output.
    public var write: @Sendable ([UInt8]) -> Void
    /// Writes talk to standard error.
    public var talk: @Sendable (String) -> Void
    /// Reads standard input to its end, at most so many bytes; nil where there is more.
    public var readInput: @Sendable (_ limit: Int) -> [UInt8]?
    public var isInputTerminal: Bool
    public var isOutputTerminal: Bool
    public var environment: [String: String]
    public var now: @Sendable () -> WallTime
    /// Waits; false: the person has had enough.
    public var pause: @Sendable (Duration) -> Bool

    public init(
        write: @escaping @Sendable ([UInt8]) -> Void, talk: @escaping @Sendable (String) -> Void,
        readInput: @escaping @Sendable (Int) -> [UInt8]?, isInputTerminal: Bool, isOutputTerminal: Bool,
        environment: [String: String], now: @escaping @Sendable () -> WallTime,
        pause: @escaping @Sendable (Duration) -> Bool
    ) {
        self.write = write
        self.talk = talk
        self.readInput = readInput
        self.isInputTerminal = isInputTerminal
        self.isOutputTerminal = isOutputTerminal
        self.environment = environment
        self.now = now
        self.pause = pause
    }

    func print(_ text: String) { write(Array((text + "\n").utf8)) }
}
