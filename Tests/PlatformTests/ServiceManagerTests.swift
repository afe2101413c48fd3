import Glibc
import Testing

@testable import Platform

struct ServiceManagerTests {
    @Test(arguments: ["@gridrelay-test-\(getpid())", "/tmp/gridrelay-test-\(getpid()).sock"])
    func sendsToTheSocketItIsGiven(path: String) throws {
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(receiver)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        let isAbstract = path.hasPrefix("@")
        if isAbstract { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(2 + name.count + (isAbstract ? 0 : 1))
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(receiver, $0, length) }
        }
        try #require(status == 0)
        #expect(ServiceManager.send(ServiceManager.State.ready.message, to: path))
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = recv(receiver, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "READY=1")
    }

    @Test func isSilentWhereNobodyListens() {
        #expect(!ServiceManager.send("READY=1", to: "/tmp/gridrelay-nobody-\(getpid())"))
        #expect(!ServiceManager.send("READY=1", to: "relative"))
        #expect(!ServiceManager.send("READY=1", to: ""))
        #expect(!ServiceManager.send("READY=1", to: "/" + String(repeating: "x", count: 200)))
    }

    @Test func aStatusIsOneLine() {
        #expect(ServiceManager.State.status("a\nREADY=1").message == "STATUS=a READY=1")
        #expect(ServiceManager.State.stopping.message == "STOPPING=1")
    }
}
