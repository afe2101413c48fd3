import Envelope
import Glibc

/// Where `${NAME}` in a configuration file gets its value.
public struct YAMLEnvironment: Sendable {
    private let lookup: @Sendable (String) -> String?

    public init(_ variables: [String: String] = [:]) {
        lookup = { variables[$0] }
    }

    private init(lookup: @escaping @Sendable (String) -> String?) {
        self.lookup = lookup
    }

    /// The environment of this process.
    public static let process = YAMLEnvironment(lookup: { name in
        getenv(name).map { String(cString: $0) }
    })

    public subscript(name: String) -> String? { lookup(name) }

    /// Why a value cannot be had, without any variable's content.
    struct Failure: Error, Equatable {
        var text: String
    }

    /// Replaces `${NAME}` and `${NAME:-default}`; `$$` is a dollar; any other dollar stands for itself.
    ///
    /// As in a shell, the default also stands in for an empty variable. It is taken as it is, without variables of its own.
    func expand(_ raw: String) throws(Failure) -> String {
        guard raw.utf8.contains(UInt8(ascii: "$")) else { return raw }
        var text = ""
        var rest = Substring(raw)
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                text += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{" {
                guard let close = rest.firstIndex(of: "}") else {
                    throw Failure(text: "'${' without '}'; write ${NAME}, or $${ for the characters themselves")
                }
                text += try value(of: rest[rest.index(after: rest.startIndex)..<close])
                rest = rest[rest.index(after: close)...]
            } else {
                text += "$"
            }
            guard text.utf8.count <= Limits.configurationValueBytes else {
                throw Failure(
                    text: "longer than \(Limits.configurationValueBytes) bytes once its variables are replaced")
            }
        }
        text += rest
        return text
    }

    private func value(of expression: Substring) throws(Failure) -> String {
        let separator = expression.firstRange(ofText: ":-")
        let name = String(separator.map { expression[..<$0.lowerBound] } ?? expression)
        guard Self.isName(name) else {
            throw Failure(text: "'${\(name.prefix(40))}' names no variable; write ${NAME} or ${NAME:-default}")
        }
        let fallback = separator.map { String(expression[$0.upperBound...]) }
        if let value = self[name], fallback == nil || !value.isEmpty { return value }
        guard let fallback else {
            throw Failure(
                text: "the environment variable \(name) is not set; set it, or write ${\(name):-default}")
        }
        return fallback
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}

extension Substring {
    /// The first place of a short text; nil where there is none.
    fileprivate func firstRange(ofText text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
