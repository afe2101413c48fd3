/// An HTTP proxy that opens ways with CONNECT (RFC 9110, section 9.3.6).
public struct ProxyAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: UInt16
    /// For basic authentication; nil where the proxy asks for none.
    public var credentials: Credentials?

    public struct Credentials: Hashable, Sendable, CustomStringConvertible {
        public var user: String
        public var password: String

        public init(user: String, password: String) {
            self.user = user
            self.password = password
        }

        /// Never the password.
        public var description: String { "\(user):***" }
    }

    public init(host: String, port: UInt16, credentials: Credentials? = nil) {
        self.host = host
        self.port = port
        self.credentials = credentials
    }

    /// Never the password.
    public var description: String { "\(host):\(port)" }
}

/// The conversation with a proxy, as bytes in and out.
struct ProxyConversation {
    /// Bytes of an answer's head: more than proxies send, little enough to hold while dialling.
    static let answerBytes = 8 << 10

    let request: [UInt8]
    private var answer: [UInt8] = []

    enum Progress: Equatable {
        case needsMore
        case open
        case refused(String)
    }

    /// - Returns: nil where the host cannot stand in a request, such as one with a space or a line end.
    init?(host: String, port: UInt16, credentials: ProxyAddress.Credentials?) {
        let isLegal = host.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 127 && $0 != UInt8(ascii: "/") }
        guard isLegal, !host.isEmpty else { return nil }
        let authority = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        var lines = ["CONNECT \(authority) HTTP/1.1", "Host: \(authority)"]
        if let credentials {
            let pair = Array("\(credentials.user):\(credentials.password)".utf8)
            lines.append("Proxy-Authorization: Basic \(Base64.encode(pair))")
        }
        request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    mutating func receive(_ bytes: some Swift.Sequence<UInt8>) -> Progress {
        answer.append(contentsOf: bytes)
        guard let end = Self.endOfHead(answer) else {
            return answer.count < Self.answerBytes ? .needsMore : .refused("its answer is no HTTP answer")
        }
        // The far end of the way speaks only after us, so bytes behind the head are not its own.
        guard end == answer.count else { return .refused("it sent more than an answer") }
        return Self.verdict(String(decoding: answer.prefix { $0 != 13 && $0 != 10 }, as: UTF8.self))
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }

    private static func verdict(_ line: String) -> Progress {
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
            return .refused("its answer is no HTTP answer")
        }
        switch status {
        case 200..<300: return .open
        case 407: return .refused("it asks for a user and a password (407)")
        default: return .refused("status \(status)")
        }
    }
}

enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word: UInt32 = 0
            for byte in group { word = word << 8 | UInt32(byte) }
            word <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = digits[Int(word >> UInt32(18 - 6 * place)) & 63]
                text.append(place <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
