import Glibc
import Synchronization
import Testing

@testable import Platform

struct ThreadsTests {
    @Test func runsItsBodyUnderItsNameAndIsJoined() throws {
        let name = Mutex("")
        let thread = try Threads.start(name: "a-name-longer-than-fifteen-bytes") {
            let descriptor = open("/proc/thread-self/comm", O_RDONLY)
            var text = [UInt8](repeating: 0, count: 32)
            let count = read(descriptor, &text, text.count)
            close(descriptor)
            name.withLock { $0 = String(decoding: text.prefix(max(0, count)), as: UTF8.self) }
        }
        thread.join()
        thread.join()
        #expect(name.withLock { $0 } == "a-name-longer-t\n")
    }

    @Test func hardeningForbidsDumps() async {
        await #expect(processExitsWith: .success) {
            let hardened = Process.hardenMemory()
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(4), &limit)
            exit(hardened && limit.rlim_cur == 0 && limit.rlim_max == 0 ? 0 : 1)
        }
    }
}
