import CUV
import Glibc
import Synchronization

/// Threads of the system, for reactors and for work that blocks.
public enum Threads {
    /// Starts a thread; its body must not throw, and what it captures crosses to it.
    /// - Parameter name: shown by ps and debuggers; the kernel keeps its first 15 bytes.
    /// - Throws: ``ThreadError`` where the system has no more threads to give.
    @discardableResult
    public static func start(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) -> Handle {
        let job = Unmanaged.passRetained(Job(name: name, body: body))
        var identifier = pthread_t()
        let status = pthread_create(
            &identifier, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, job.toOpaque())
        guard status == 0 else {
            job.release()
            throw ThreadError(code: status)
        }
        return Handle(identifier)
    }

    private final class Job {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            cuv_name_thread(name)
            body()
        }
    }

    /// A started thread. Waiting for it with ``join()`` is optional.
    public final class Handle: Sendable {
        private let identifier: Mutex<pthread_t?>

        fileprivate init(_ identifier: pthread_t) { self.identifier = Mutex(identifier) }

        deinit {
            if let identifier = identifier.withLock({ $0 }) { pthread_detach(identifier) }
        }

        /// Waits for the thread's end; the second and later calls return at once.
        public func join() {
            let taken = identifier.withLock { identifier in
                defer { identifier = nil }
                return identifier
            }
            if let taken { pthread_join(taken, nil) }
        }
    }
}

/// The system refused to start a thread.
public struct ThreadError: Error, Equatable, CustomStringConvertible {
    /// An errno.
    public let code: Int32

    public var description: String {
        "cannot start a thread: \(SystemError.text(code)); raise the limit of processes (ulimit -u, JobsMax)"
    }
}

/// Which thread one is on.
struct ThreadIdentity: Equatable, Sendable {
    private let identifier: UInt

    static var current: ThreadIdentity { ThreadIdentity(identifier: UInt(pthread_self())) }
}

/// The words of the system for an errno.
enum SystemError {
    static func text(_ code: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            guard let base = buffer.baseAddress, strerror_r(code, base, 255) == 0 else { return "error \(code)" }
            return String(cString: base)
        }
    }
}
