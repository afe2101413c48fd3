// The least program with a lock, for scripts/sanitize.sh: silent under ThreadSanitizer where that sees the lock. With
// FORGETFUL it touches a variable beside the lock, which must be reported.

import Glibc
import Synchronization

private final class Counter: Sendable {
    private let numbers = Mutex<[Int]>([])
    private nonisolated(unsafe) var beside = 0

    func add(_ number: Int) {
        numbers.withLock { $0.append(number) }
        #if FORGETFUL
            beside += 1
        #endif
    }

    var count: Int { numbers.withLock { $0.count } }
}

private func work(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let counter = Unmanaged<Counter>.fromOpaque(context).takeRetainedValue()
    for number in 0..<10_000 { counter.add(number) }
    return nil
}

private func run() -> Bool {
    let counter = Counter()
    var threads: [pthread_t] = []
    for _ in 0..<4 {
        var thread = pthread_t()
        guard pthread_create(&thread, nil, work, Unmanaged.passRetained(counter).toOpaque()) == 0 else { return false }
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    return counter.count == 40_000
}

@main enum Program {
    static func main() { exit(run() ? 0 : 1) }
}
