import Envelope
import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1))) struct WorkQueueTests {
    @Test func everythingThatWaitsIsTakenInOrder() {
        let queue = WorkQueue<Int>()
        #expect(queue.takeAll(within: .zero) == [] && !queue.isIdle)
        queue.wake()
        #expect(queue.takeAll() == [] && !queue.isIdle)
        #expect(queue.add(1) && queue.add([2, 3]) && queue.add([]))
        #expect(queue.takeAll() == [1, 2, 3])
        #expect(queue.takeAll(within: .zero) == [])
        queue.add(4)
        queue.close()
        #expect(!queue.add(5) && !queue.add([6]) && queue.isClosed)
        #expect(queue.takeAll() == [4])
        #expect(queue.takeAll() == nil)
    }

    @Test func itIsIdleWhileItsTakerWaitsForMore() throws {
        let queue = WorkQueue<Int>()
        let (taken, goOn) = (Bell(), Bell())
        #expect(!queue.isIdle, "nobody has come to take")
        let taker = try Threads.start(name: "taker") {
            while queue.takeAll() != nil {
                taken.ring()
                goOn.wait(within: nil)
            }
        }
        for number in 1...100 {
            while !queue.isIdle { sched_yield() }
            queue.add(number)
            #expect(!queue.isIdle, "something waits")
            taken.wait(within: nil)
            #expect(!queue.isIdle, "something is being done")
            goOn.ring()
        }
        while !queue.isIdle { sched_yield() }
        queue.close()
        #expect(!queue.isIdle, "nothing can be added")
        taker.join()
    }
}
