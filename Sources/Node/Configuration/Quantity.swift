/// Numbers with a unit, such as `20ms` or `64KiB`.
enum Quantity {
    private static let sizes: [(unit: String, bytes: Int)] = [
        ("", 1), ("B", 1),
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("KB", 1_000), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]

    private static let spans: [(unit: String, nanoseconds: Int)] = [
        ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ]

    static func bytes(
        _ text: String, what: String, example: String, in range: ClosedRange<Int>
    ) throws(ConfigurationFormat<Int>.Mismatch) -> Int {
        guard let (digits, unit) = split(text), let size = sizes.first(where: { $0.unit == unit }) else {
            throw .init("is not \(what); write a whole number and a unit, such as \(example)")
        }
        let (product, overflow) = (Int(digits) ?? .max).multipliedReportingOverflow(by: size.bytes)
        guard Int(digits) != nil, !overflow, range.contains(product) else {
            throw .init(
                range.upperBound == .max
                    ? "is out of range; write \(spell(bytes: range.lowerBound)) or more"
                    : "is out of range; write \(spell(bytes: range.lowerBound)) to \(spell(bytes: range.upperBound))")
        }
        return product
    }

    static func duration(
        _ text: String, in range: ClosedRange<Duration>
    ) throws(ConfigurationFormat<Duration>.Mismatch) -> Duration {
        guard let (digits, unit) = split(text) else { throw notADuration }
        guard let span = spans.first(where: { $0.unit == unit }) else {
            throw unit.isEmpty
                ? .init("has no unit; write one of us, ms, s, m, h, d behind it, such as 5s") : notADuration
        }
        let (product, overflow) = (Int(digits) ?? .max).multipliedReportingOverflow(by: span.nanoseconds)
        guard Int(digits) != nil, !overflow, range.contains(.nanoseconds(product)) else {
            throw .init("is out of range; write \(spell(range.lowerBound)) to \(spell(range.upperBound))")
        }
        return .nanoseconds(product)
    }

    private static var notADuration: ConfigurationFormat<Duration>.Mismatch {
        .init("is not a time span; write a whole number and a unit, such as 20ms, 5s, 10m, 2h or 3d")
    }

    /// The shortest exact spelling that reads back as the same number of bytes.
    static func spell(bytes: Int) -> String {
        guard bytes > 0 else { return "\(bytes)B" }
        for unit in ["TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB"] {
            guard let size = sizes.first(where: { $0.unit == unit })?.bytes else { continue }
            if bytes.isMultiple(of: size) { return "\(bytes / size)\(unit)" }
        }
        return "\(bytes)B"
    }

    /// The shortest exact spelling that reads back as the same span; below a microsecond it is cut.
    static func spell(_ duration: Duration) -> String {
        let nanoseconds =
            Int(duration.components.seconds) &* 1_000_000_000 &+ Int(duration.components.attoseconds / 1_000_000_000)
        guard nanoseconds > 0 else { return "0s" }
        for span in spans.reversed() where nanoseconds.isMultiple(of: span.nanoseconds) {
            return "\(nanoseconds / span.nanoseconds)\(span.unit)"
        }
        return "\(nanoseconds / 1_000)us"
    }

    /// Digits and what follows; nil where there are no digits.
    private static func split(_ text: String) -> (digits: Substring, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { return nil }
        var unit = text[digits.endIndex...]
        if unit.first == " " { unit = unit.dropFirst() }
        return (digits, String(unit))
    }
}
