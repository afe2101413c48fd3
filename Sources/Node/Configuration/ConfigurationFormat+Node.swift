import Envelope

extension ConfigurationFormat where Value == Duration {
    /// How long an envelope lives: whole seconds in the header, so at least one.
    static var lifetime: Self { .duration(in: .seconds(1)...NodeConfiguration.longestLifetime) }
    static var resendAfter: Self { .duration(in: .seconds(1)...Duration.seconds(86_400)) }
}

extension ConfigurationFormat where Value == Int {
    /// Bytes of memory for envelopes: at least what one of the largest takes.
    static var memory: Self { .byteSize(in: Limits.bodyBytes...(1 << 40)) }
}

extension ConfigurationFormat where Value == NodeConfiguration.Reactors {
    /// `auto`, or how many.
    static var reactors: Self {
        let number = ConfigurationFormat<Int>.integer(in: NodeConfiguration.Reactors.range)
        return Self(provisional: .automatic) { text, mark throws(Mismatch) in
            if text == "auto" { return .automatic }
            do throws(ConfigurationFormat<Int>.Mismatch) {
                return .fixed(try number.parse(text, mark))
            } catch {
                throw Mismatch("\(error.text), or auto")
            }
        }
    }
}

extension ConfigurationFormat where Value == String {
    /// The name of a job, sink or flow: letters, digits, `.`, `_` and `-`.
    static var label: Self { label(length: Limits.nameLength) }

    static func label(length: Int) -> Self {
        Self(provisional: "") { text, _ throws(Mismatch) in
            guard !text.isEmpty, text.utf8.count <= length, text.utf8.allSatisfy(isLabelCharacter) else {
                throw Mismatch("is no name; write 1 to \(length) letters, digits, '.', '_' or '-'")
            }
            return text
        }
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A host's name or address: no spaces, no port.
    static var host: Self {
        Self(provisional: "") { text, _ throws(Mismatch) in
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }
            let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
            guard !text.isEmpty, isPlain, text.utf8.count <= 253, colons != 1, !text.hasPrefix("[") else {
                throw Mismatch("is no host; write a name or an address without a port, such as 10.0.0.5 or fd00::5")
            }
            return text
        }
    }
}
