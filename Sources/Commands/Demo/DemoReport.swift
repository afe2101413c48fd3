/// What the demo found in the end, and whether all is as promised.
struct DemoReport: Sendable {
    struct Blindness: Sendable {
        /// The relay's memory; nil where the system does not let anybody look.
        var memory: PlaintextSearch.Finding?
        var journal = PlaintextSearch.Finding()
        var wire = PlaintextSearch.Finding()
        /// The memory of the agent that reads the rows, where the same search must find them; nil as above.
        var control: PlaintextSearch.Finding?
        /// The agents' secrets in the relay's memory, and in the memory of the agent that seals with them.
        var keys: PlaintextSearch.Finding?
        var keyControl: PlaintextSearch.Finding?
    }

    struct Disturbance: Sendable {
        /// Envelopes that waited in plant-a while its link was cut.
        var waited: UInt64 = 0
        /// Envelopes that the relay in the DMZ had in its store when it was killed, and after its restart.
        var storedBefore: UInt64 = 0
        var storedAfter: UInt64 = 0
    }

    var temperatures: RowAccount
    var weather: RowAccount
    /// SHA-256 in hexadecimal.
    var inputHash: String
    var outputHash: String
    var shippedHash: String
    var blindness: Blindness
    var disturbance: Disturbance
    /// Envelopes that came a second time and had no effect.
    var recognised: UInt64
    /// Of all nodes.
    var dropped: UInt64
    var quarantined: UInt64

    /// What is not as promised, in words; empty is good.
    var complaints: [String] {
        var complaints: [String] = []
        if !temperatures.isExact { complaints.append("the rows of the CSV file are not what was collected") }
        if !weather.isExact { complaints.append("the rows of the table are not what was collected") }
        if inputHash != outputHash || inputHash != shippedHash { complaints.append("the CSV files differ") }
        let found = (blindness.memory?.hits ?? 0) + blindness.journal.hits + blindness.wire.hits
        if found > 0 { complaints.append("the relay in the dmz could see plaintext") }
        if let keys = blindness.keys, keys.hits > 0 {
            complaints.append("the relay in the dmz has had a key of the agents")
        }
        if blindness.wire.bytes == 0 || blindness.journal.bytes == 0 {
            complaints.append("nothing was there to be searched for plaintext")
        }
        if blindness.control?.hits == 0 { complaints.append("the search for plaintext finds none where there is some") }
        if blindness.keyControl?.hits == 0 { complaints.append("the search for keys finds none where there are some") }
        if dropped > 0 { complaints.append("envelopes were dropped") }
        if quarantined > 0 { complaints.append("envelopes were quarantined") }
        if disturbance.waited == 0 { complaints.append("nothing waited while the link was cut") }
        if disturbance.storedBefore == 0 || disturbance.storedAfter == 0 {
            complaints.append("the killed relay had nothing in its store")
        }
        return complaints
    }

    var lines: [Line] {
        [
            Line("Report", .strong),
            count("rows read", temperatures.read + weather.read, rows: \.read),
            count("rows delivered", temperatures.delivered + weather.delivered, rows: \.delivered),
            Self.line("missing", verdict(missing, missing == 0)),
            Self.line("repeated", verdict(repeated, repeated == 0) + Line(repeatedNote)),
            Self.line("sha256 input", Line(inputHash)),
            Self.line(
                "sha256 output",
                Line(outputHash, outputHash == inputHash ? .good : .bad)
                    + Line(outputHash == inputHash ? "  equal" : "  not equal")),
            Self.line("tables", weather.isExact ? Line("equal, row for row", .good) : Line("not equal", .bad)),
            Self.line("link cut", Line("\(Quantity.count(disturbance.waited)) envelopes waited in plant-a/relay-1")),
            Self.line("relay killed", Line(killed)),
            Self.line("dropped", verdict(Int(clamping: dropped), dropped == 0)),
            Line("What the relay in the dmz could see", .strong),
            Self.line("its memory", seen(blindness.memory)),
            Self.line("its journal", seen(blindness.journal)),
            Self.line("its links", seen(blindness.wire)),
            Self.line("the agents' keys", seen(blindness.keys, "found")),
            Self.line("the same search", control),
        ]
    }

    private var missing: Int { temperatures.missing + weather.missing }
    private var repeated: Int { temperatures.repeated + weather.repeated }

    private var repeatedNote: String {
        recognised == 0 ? "" : "  (\(Quantity.count(recognised)) envelopes came again and had no effect)"
    }

    private var killed: String {
        "\(Quantity.count(disturbance.storedBefore)) envelopes in its store before, "
            + "\(Quantity.count(disturbance.storedAfter)) after the restart"
    }

    private var control: Line {
        guard let control = blindness.control else { return Line("not allowed here in the agent's memory", .dim) }
        let keys = blindness.keyControl?.hits ?? 0
        return Line("in the memory of plant-a/agent-1: ")
            + Line("plaintext \(Quantity.count(UInt64(control.hits))) times", control.hits > 0 ? .good : .bad)
            + Line(", ") + Line("keys \(Quantity.count(UInt64(keys))) times", keys > 0 ? .good : .bad)
    }

    private func count(_ title: String, _ sum: Int, rows: KeyPath<RowAccount, Int>) -> Line {
        let parts = [(temperatures[keyPath: rows], "CSV"), (weather[keyPath: rows], "table")]
        let text = parts.map { "\(Quantity.count(UInt64($0.0))) \($0.1)" }.joined(separator: " + ")
        return Self.line(title, Line("\(Quantity.count(UInt64(sum)))") + Line("  (\(text))", .dim))
    }

    private func seen(_ finding: PlaintextSearch.Finding?, _ word: String = "plaintext") -> Line {
        guard let finding else { return Line("not searched: this user may not read it", .dim) }
        return Line("\(word) \(Quantity.count(UInt64(finding.hits))) times", finding.hits == 0 ? .good : .bad)
            + Line(" in \(Quantity.bytes(finding.bytes))")
    }

    private func verdict(_ number: Int, _ isGood: Bool) -> Line {
        Line(Quantity.count(UInt64(number)), isGood ? .good : .bad)
    }

    private static func line(_ title: String, _ value: Line) -> Line {
        Line("  " + title + String(repeating: " ", count: max(1, 17 - title.count))) + value
    }
}
