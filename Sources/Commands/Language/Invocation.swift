/// A command line that has been understood.
struct Invocation: Sendable {
    var command: Command
    /// By the option's first spelling, in the order given.
    var options: [String: [String]] = [:]
    var arguments: [String] = []

    func has(_ option: Option) -> Bool { options[option.name] != nil }

    /// The last value given.
    func text(_ option: Option) -> String? { options[option.name]?.last }

    func texts(_ option: Option) -> [String] { options[option.name] ?? [] }

    /// For options that the table marks as required: the parser has seen to it that they are there.
    func required(_ option: Option) throws(Failure) -> String {
        guard let text = text(option) else { throw .usage("\(option.name) is missing") }
        return text
    }

    /// A whole number within bounds.
    func number(_ option: Option, in range: ClosedRange<Int>) throws(Failure) -> Int? {
        guard let text = text(option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .usage(
                "\(option.name) takes a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }

    /// A duration in seconds, with a fraction if need be.
    func seconds(_ option: Option, in range: ClosedRange<Double>) throws(Failure) -> Duration? {
        guard let text = text(option) else { return nil }
        guard let number = Double(text), range.contains(number) else {
            throw .usage("\(option.name) takes seconds from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return .milliseconds(Int64(number * 1000))
    }
}
