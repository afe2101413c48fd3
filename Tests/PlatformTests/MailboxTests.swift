import Envelope
import Synchronization
import Testing

@testable import Platform

struct MailboxTests {
    @Test func takesWorkFromManyThreadsInEachOnesOrder() throws {
        let received = Mutex<[[Int]]>(Array(repeating: [], count: 8))
        let counted = Atomic<Int>(0)
        let threads = Mutex<[Threads.Handle]>([])
        try play { reactor in
            let mailbox = reactor.mailbox
            let bound = reactor.bind(reactor)
            for sender in 0..<8 {
                let thread = try Threads.start(name: "sender") {
                    for number in 0..<1000 {
                        bound.post { reactor in
                            received.withLock { $0[sender].append(number) }
                            if counted.add(1, ordering: .relaxed).newValue == 8000 { reactor.stop() }
                        }
                    }
                    _ = mailbox
                }
                threads.withLock { $0.append(thread) }
            }
        }
        for thread in threads.withLock({ $0 }) { thread.join() }
        #expect(received.withLock { $0 } == Array(repeating: Array(0..<1000), count: 8))
    }

    /// Work wakes the loop once: it does not turn for nothing until its time has come.
    @Test func isQuietOnceItsWorkIsDone() throws {
        try play { reactor in
            reactor.mailbox.post {}
            let bound = reactor.bind(reactor)
            reactor.schedule(after: .milliseconds(20)) {
                bound.post { reactor in
                    #expect(reactor.turn < 20)
                    reactor.stop()
                }
            }
        }
    }

    @Test func answersAThreadThatAsks() throws {
        let (thread, port) = try ReactorThread.start(name: "asked") { _ in 7 }
        #expect(port == 7)
        #expect(try thread.mailbox.ask { 41 + 1 } == 42)
        let mailbox = thread.mailbox
        #expect(try thread.mailbox.ask { mailbox.isOnReactorThread })
        #expect(!mailbox.isOnReactorThread)
        thread.stop()
        #expect(throws: MailboxError.closed) { try mailbox.ask { 1 } }
        #expect(!mailbox.post {})
    }

    @Test func anAskerIsFreedWhenTheReactorShutsDownOrIsBusy() throws {
        let reactor = try Reactor()
        let mailbox = reactor.mailbox
        let reply = Reply<MailboxError?>()
        let thread = try Threads.start(name: "asker") {
            do throws(MailboxError) {
                _ = try mailbox.ask(within: .seconds(60)) { 1 }
                reply.fill(nil)
            } catch {
                reply.fill(error)
            }
        }
        let late = Reply<MailboxError?>()
        let impatient = try Threads.start(name: "impatient") {
            do throws(MailboxError) {
                _ = try mailbox.ask(within: .milliseconds(1)) { 1 }
                late.fill(nil)
            } catch {
                late.fill(error)
            }
        }
        // The reactor does not run, so nobody answers.
        #expect(late.wait() == .timedOut)
        reactor.shutDown()
        #expect(reply.wait() == .closed)
        thread.join()
        impatient.join()
    }

    @Test func aThreadWhoseSetUpFailsThrows() {
        struct Broken: Error {}
        #expect(throws: Broken.self) { try ReactorThread.start(name: "broken") { _ in throw Broken() } }
    }
}
