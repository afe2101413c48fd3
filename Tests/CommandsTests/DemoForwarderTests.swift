import Glibc
import Testing

@testable import Commands

@Suite struct DemoForwarderTests {
    /// A listener, and a line that leads to it.
    private final class Bench {
        let listener: Int32
        let line: Forwarder
        private var open: [Int32] = []

        init() throws {
            listener = try #require(Loopback.socket())
            #expect(Loopback.bind(listener, port: 0))
            #expect(listen(listener, 8) == 0)
            line = try Forwarder(to: Loopback.port(of: listener))
            open = [listener]
        }

        deinit {
            line.stop()
            for descriptor in open { close(descriptor) }
        }

        func dial() throws -> Int32 {
            let descriptor = try #require(Loopback.socket())
            open.append(descriptor)
            #expect(Loopback.connect(descriptor, port: line.port))
            return descriptor
        }

        func accept() throws -> Int32 {
            #expect(Self.isReady(listener, within: 10_000))
            let descriptor = Glibc.accept(listener, nil, nil)
            try #require(descriptor >= 0)
            open.append(descriptor)
            return descriptor
        }

        static func isReady(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&event, 1, milliseconds) > 0
        }

        /// What comes, at least so many bytes; nil where the connection breaks or nothing more comes.
        func receive(_ count: Int, from descriptor: Int32) -> [UInt8]? {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while bytes.count < count {
                guard Self.isReady(descriptor, within: 10_000) else { return nil }
                let read = read(descriptor, &chunk, chunk.count)
                if read <= 0 { return nil }
                bytes += chunk.prefix(read)
            }
            return bytes
        }

        /// True once the other end has ended or broken the connection.
        func isOver(_ descriptor: Int32) -> Bool {
            guard Self.isReady(descriptor, within: 10_000) else { return false }
            var byte: UInt8 = 0
            return read(descriptor, &byte, 1) <= 0
        }
    }

    private func say(_ text: String, on descriptor: Int32) { #expect(write(descriptor, text, text.utf8.count) > 0) }

    @Test func bytesPassBothWaysAndAreKept() throws {
        let bench = try Bench()
        let near = try bench.dial()
        let far = try bench.accept()
        say("question", on: near)
        #expect(bench.receive(8, from: far) == Array("question".utf8))
        say("answer", on: far)
        #expect(bench.receive(6, from: near) == Array("answer".utf8))
        let state = bench.line.current
        #expect(state.capture == [Array("question".utf8), Array("answer".utf8)])
        #expect(state.passed == 14)
    }

    @Test func muchPassesWhole() throws {
        let bench = try Bench()
        let near = try bench.dial()
        let far = try bench.accept()
        let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
        var rest = bytes[...]
        var arrived: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while arrived.count < bytes.count {
            let wrote = rest.withUnsafeBytes { write(near, $0.baseAddress, $0.count) }
            if wrote > 0 { rest = rest.dropFirst(wrote) }
            try #require(Bench.isReady(far, within: 10_000))
            let count = read(far, &chunk, chunk.count)
            if count > 0 { arrived += chunk.prefix(count) }
        }
        #expect(arrived == bytes)
    }

    @Test func anEndIsPassedOn() throws {
        let bench = try Bench()
        let near = try bench.dial()
        let far = try bench.accept()
        say("last", on: near)
        shutdown(near, Int32(SHUT_WR))
        #expect(bench.receive(4, from: far) == Array("last".utf8))
        #expect(bench.isOver(far))
        // The other direction is still open.
        say("reply", on: far)
        #expect(bench.receive(5, from: near) == Array("reply".utf8))
    }

    @Test func cutAndHealed() throws {
        let bench = try Bench()
        let near = try bench.dial()
        let far = try bench.accept()
        say("x", on: near)
        #expect(bench.receive(1, from: far) == Array("x".utf8))
        bench.line.cut()
        #expect(bench.isOver(near))
        #expect(bench.isOver(far))
        #expect(bench.isOver(try bench.dial()))
        #expect(!Bench.isReady(bench.listener, within: 0))
        bench.line.heal()
        let again = try bench.dial()
        let onward = try bench.accept()
        say("again", on: again)
        #expect(bench.receive(5, from: onward) == Array("again".utf8))
    }

    /// The line may still be busy with who came too early.
    @Test func whoDialsAfterTheHealingGetsThrough() throws {
        let bench = try Bench()
        for _ in 0..<300 {
            bench.line.cut()
            let early = try bench.dial()
            #expect(bench.isOver(early))
            bench.line.heal()
            let late = try bench.dial()
            say("x", on: late)
            #expect(bench.receive(1, from: try bench.accept()) == Array("x".utf8))
        }
    }

    @Test func hungAndHealed() throws {
        let bench = try Bench()
        let near = try bench.dial()
        let far = try bench.accept()
        say("a", on: near)
        #expect(bench.receive(1, from: far) == Array("a".utf8))
        bench.line.hang()
        let late = try bench.dial()
        // Whether the line has heard of it already or not: once healed, all of it arrives in order.
        say("b", on: near)
        say("c", on: near)
        say("d", on: late)
        bench.line.heal()
        #expect(bench.receive(2, from: far) == Array("bc".utf8))
        #expect(bench.receive(1, from: try bench.accept()) == Array("d".utf8))
    }

    @Test func nobodyBehindTheLine() throws {
        let bench = try Bench()
        // It listens no longer.
        shutdown(bench.listener, Int32(SHUT_RDWR))
        #expect(bench.isOver(try bench.dial()))
    }
}
