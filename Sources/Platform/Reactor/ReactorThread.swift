/// A thread that runs a reactor until it is stopped.
public final class ReactorThread: Sendable {
    public let mailbox: Mailbox
    private let stopper: ReactorBound<Reactor>
    private let thread: Threads.Handle

    private init(stopper: ReactorBound<Reactor>, mailbox: Mailbox, thread: Threads.Handle) {
        self.stopper = stopper
        self.mailbox = mailbox
        self.thread = thread
    }

    /// Starts a thread, makes a reactor on it, calls `setUp` with it and then runs it; returns once `setUp` has.
    /// - Returns: the thread, and what `setUp` made, such as the port of a listener or a ``ReactorBound``.
    /// - Throws: ``ThreadError``, ``ReactorError``, or what `setUp` threw; then the thread has ended.
    public static func start<Value: Sendable>(
        name: String, _ setUp: @escaping @Sendable (Reactor) throws -> Value
    ) throws -> (ReactorThread, Value) {
        let begun = Reply<Result<(ReactorBound<Reactor>, Mailbox, Value), any Error>>()
        let thread = try Threads.start(name: name) { run(setUp, begun) }
        let (stopper, mailbox, value) = try begun.wait().get()
        return (ReactorThread(stopper: stopper, mailbox: mailbox, thread: thread), value)
    }

    private static func run<Value: Sendable>(
        _ setUp: (Reactor) throws -> Value,
        _ begun: Reply<Result<(ReactorBound<Reactor>, Mailbox, Value), any Error>>
    ) {
        do {
            let reactor = try Reactor()
            do {
                let value = try setUp(reactor)
                begun.fill(.success((reactor.bind(reactor), reactor.mailbox, value)))
                reactor.run()
            } catch {
                begun.fill(.failure(error))
            }
            reactor.shutDown()
        } catch {
            begun.fill(.failure(error))
        }
    }

    /// Ends the loop after its current turn, closes what it held and waits for the thread.
    ///
    /// Not to be called from the reactor's own thread, which would wait for itself.
    public func stop() {
        stopper.post { $0.stop() }
        thread.join()
    }
}
