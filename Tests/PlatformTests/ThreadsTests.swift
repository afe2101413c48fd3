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

    /// Blocks of a burst, between short ones that stay, are gone from the process when they are freed.
    @Test func longBlocksAreGivenBack() async {
        await #expect(processExitsWith: .success) {
            Process.separateLongBlocks(bytes: 512 << 10)
            let before = Process.residentBytes
            var kept: [UnsafeMutableRawPointer] = []
            for _ in 0..<3 {
                var burst: [UnsafeMutableRawPointer] = []
                for _ in 0..<32 {
                    let (long, short) = (malloc(1 << 20), malloc(1 << 10))
                    guard let long, let short else { exit(2) }
                    memset(long, 1, 1 << 20)
                    burst.append(long)
                    kept.append(short)
                }
                for block in burst { free(block) }
            }
            exit(Process.residentBytes - before < 8 << 20 && kept.count == 96 ? 0 : 1)
        }
    }
}
