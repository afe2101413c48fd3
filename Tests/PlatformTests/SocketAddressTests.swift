import Glibc
import Testing

@testable import Platform

struct SocketAddressTests {
    private func address(_ host: String) throws -> SocketAddress {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        try #require(getaddrinfo(host, "443", &hints, &list) == 0)
        defer { freeaddrinfo(list) }
        return try #require(SocketAddress.all(in: list).first)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:443"), ("::1", "[::1]:443"), ("2001:db8::7", "[2001:db8::7]:443"),
        ("::ffff:10.1.2.3", "10.1.2.3:443"),
    ])
    func isWrittenAsPeopleDo(host: String, text: String) throws {
        let address = try address(host)
        #expect(address.description == text)
        let copy = address.withSockaddr { pointer, _ in SocketAddress(pointer) }
        #expect(copy == address)
    }

    @Test func oneIPv6NetworkIsOneSource() throws {
        #expect(try address("2001:db8::1").source == address("2001:db8::2").source)
        #expect(try address("2001:db8::1").source != address("2001:db8:0:1::1").source)
        #expect(try address("10.0.0.1").source != address("10.0.0.2").source)
    }
}
