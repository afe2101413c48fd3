import Synchronization

/// Brings things in order from one thread to one other, which takes all that waits at once. Wakes it once a burst, and
/// allocates nothing once its lists have grown.
final class Chute<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        /// An empty list whose memory serves for what comes while others are taken.
        var spare: [Item] = []
        var isClosed = false
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// - Parameter wake: called by a giver when something lies here again after a taking; posts to the taker's mailbox.
    func open(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
    }

    /// - Returns: false after ``close()``; the item is then dropped.
    @discardableResult
    func put(_ item: Item) -> Bool {
        let (isTaken, wake) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
            guard !state.isClosed else { return (false, nil) }
            state.items.append(item)
            return (true, state.items.count == 1 ? state.wake : nil)
        }
        wake?()
        return isTaken
    }

    /// Takes all that waits and does with each what `body` says.
    func drain(_ body: (Item) -> Void) {
        var taken: [Item] = []
        state.withLock { state in
            swap(&taken, &state.items)
            swap(&state.items, &state.spare)
        }
        for item in taken { body(item) }
        taken.removeAll(keepingCapacity: true)
        state.withLock { state in
            if state.spare.capacity < taken.capacity { swap(&state.spare, &taken) }
        }
    }

    /// Takes nothing more; what lies here can still be taken.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wake = nil
        }
    }
}
