import Testing

@testable import Platform

struct ProxyAddressTests {
    @Test func asksInTheFormOfTheStandard() throws {
        let plain = try #require(ProxyConversation(host: "relay.example", port: 4433, credentials: nil))
        #expect(
            String(decoding: plain.request, as: UTF8.self)
                == "CONNECT relay.example:4433 HTTP/1.1\r\nHost: relay.example:4433\r\n\r\n")
        let full = try #require(
            ProxyConversation(host: "::1", port: 1, credentials: .init(user: "Aladdin", password: "open sesame")))
        #expect(
            String(decoding: full.request, as: UTF8.self)
                == "CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\n"
                + "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n")
    }

    @Test(arguments: ["", "a b", "a\r\nX: y", "a/b", "é"])
    func refusesWhatIsNoHost(host: String) {
        #expect(ProxyConversation(host: host, port: 1, credentials: nil) == nil)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n", .open), ("HTTP/1.0 204\r\n\r\n", .open),
            ("HTTP/1.1 407 Authenticate\r\n\r\n", .refused("it asks for a user and a password (407)")),
            ("HTTP/1.1 503 No\r\n\r\n", .refused("status 503")), ("\r\n\r\n", .refused("its answer is no HTTP answer")),
            ("SSH-2.0-x\r\n\r\n", .refused("its answer is no HTTP answer")),
            ("HTTP/1.1 200 OK\r\n\r\nx", .refused("it sent more than an answer")),
        ] as [(String, ProxyConversation.Progress)])
    func judgesTheAnswerHoweverItComes(answer: String, verdict: ProxyConversation.Progress) throws {
        var whole = try #require(ProxyConversation(host: "h", port: 1, credentials: nil))
        #expect(whole.receive(Array(answer.utf8)) == verdict)
        // One byte at a time, the answer ends with its head: a byte too many cannot be seen yet.
        guard verdict != .refused("it sent more than an answer") else { return }
        var piecewise = try #require(ProxyConversation(host: "h", port: 1, credentials: nil))
        let bytes = Array(answer.utf8)
        for byte in bytes.dropLast() { #expect(piecewise.receive([byte]) == .needsMore) }
        #expect(piecewise.receive(bytes.suffix(1)) == verdict)
    }

    @Test func doesNotReadForEver() throws {
        var conversation = try #require(ProxyConversation(host: "h", port: 1, credentials: nil))
        let flood = [UInt8](repeating: UInt8(ascii: "x"), count: ProxyConversation.answerBytes)
        #expect(conversation.receive(flood.dropLast()) == .needsMore)
        #expect(conversation.receive(flood.suffix(1)) == .refused("its answer is no HTTP answer"))
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64IsTheStandards(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
    }

    @Test func neverShowsThePassword() {
        let proxy = ProxyAddress(host: "proxy", port: 3128, credentials: .init(user: "u", password: "secret"))
        #expect("\(proxy)" == "proxy:3128")
        #expect(proxy.credentials.map { "\($0)" } == "u:***")
    }
}
