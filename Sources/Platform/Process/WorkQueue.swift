import Envelope
import Synchronization

/// Work that several threads bring and one thread takes, all that waits at once.
public final class WorkQueue<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var isClosed = false
        var isWoken = false
        /// The taker has done all it took, and waits.
        var isTakerWaiting = false
    }

    private let state = Mutex(State())
    private let bell = Bell()

    public init() {}

    /// - Returns: false after ``close()``; the item is then dropped.
    @discardableResult
    public func add(_ item: Item) -> Bool { add { $0.append(item) } }

    /// Adds all of them, in order, with one look at the queue.
    /// - Returns: false after ``close()``; all are then dropped.
    @discardableResult
    public func add(_ items: [Item]) -> Bool {
        add { waiting in
            if waiting.isEmpty { waiting = items } else { waiting += items }
        }
    }

    private func add(_ put: (inout [Item]) -> Void) -> Bool {
        let (isTaken, mustRing) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            let wasEmpty = state.items.isEmpty
            put(&state.items)
            return (true, wasEmpty && !state.items.isEmpty)
        }
        if mustRing { bell.ring() }
        return isTaken
    }

    /// Waits until there is something, the queue is closed, somebody wakes it, or the limit has passed.
    /// - Returns: everything that waits, empty where it was woken or the limit passed; nil once the queue is closed and
    ///   empty.
    public func takeAll(within limit: Duration? = nil) -> [Item]? {
        var hasWaited = limit == .zero
        while true {
            let mayWait = !hasWaited || limit == nil
            let (items, isClosed, isWoken) = state.withLock { state in
                defer {
                    state.isTakerWaiting = state.items.isEmpty && !state.isClosed && !state.isWoken && mayWait
                    state.items = []
                    state.isWoken = false
                }
                return (state.items, state.isClosed, state.isWoken)
            }
            if !items.isEmpty { return items }
            if isClosed { return nil }
            if isWoken || !mayWait { return [] }
            bell.wait(within: limit)
            hasWaited = true
        }
    }

    /// Wakes the taker, or keeps the next one from waiting, though there may be nothing.
    public func wake() {
        state.withLock { $0.isWoken = true }
        bell.ring()
    }

    /// Wakes the taker, who gets what is left and then nil.
    public func close() {
        state.withLock { $0.isClosed = true }
        bell.ring()
    }

    /// Whether nothing waits and nothing is being done, until somebody adds something.
    public var isIdle: Bool { state.withLock { $0.isTakerWaiting && $0.items.isEmpty && !$0.isClosed } }

    public var isClosed: Bool { state.withLock { $0.isClosed } }
}
