import Envelope
import Synchronization
import Testing

@testable import Platform

struct ReactorBoundTests {
    final class Witness {
        let released: Reply<Bool>
        let mailbox: Mailbox
        init(_ released: Reply<Bool>, _ mailbox: Mailbox) {
            self.released = released
            self.mailbox = mailbox
        }
        deinit { released.fill(mailbox.isOnReactorThread) }
    }

    @Test func theValueIsReleasedOnItsThreadThoughTheBoxIsNot() throws {
        // Often: whether the reactor or the thread that posts is done with it first is chance.
        for _ in 0..<300 {
            let released = Reply<Bool>()
            let (thread, box) = try ReactorThread.start(name: "owner") { reactor in
                Holder(reactor.bind(Witness(released, reactor.mailbox)))
            }
            box.clear()
            #expect(released.wait())
            thread.stop()
        }
    }

    final class Holder: Sendable {
        private let held: Mutex<ReactorBound<Witness>?>
        init(_ value: ReactorBound<Witness>) { held = Mutex(value) }
        func clear() { held.withLock { $0 = nil } }
    }

    @Test func touchingItElsewhereStopsTheProcess() async {
        await #expect(processExitsWith: .failure) {
            let (_, box) = try ReactorThread.start(name: "owner") { $0.bind([1, 2, 3]) }
            _ = box.value
        }
    }
}
