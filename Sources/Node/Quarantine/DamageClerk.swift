import Envelope
import Platform
import Synchronization

/// Brings damaged arrivals into the quarantine on a thread of its own: the reactor, which meets them, does not wait for
/// the disk.
public final class DamageClerk: Sendable {
    private struct Damage: Sendable {
        var bytes: [UInt8]
        var note: QuarantineEntry.Note
    }

    private let quarantine: Quarantine
    private let queue = WorkQueue<Damage>()
    private let waiting = Atomic<Int>(0)
    private let told = Atomic<UInt64>(0)
    private let thread = Mutex<Threads.Handle?>(nil)

    public init(_ quarantine: Quarantine) { self.quarantine = quarantine }

    /// Damaged arrivals since the start, also those that were left out.
    public var count: UInt64 { told.load(ordering: .relaxed) }

    public func start() throws(ThreadError) {
        let handle = try Threads.start(name: "quarantine") { [self] in
            while let damages = queue.takeAll() {
                for damage in damages {
                    _ = quarantine.add(damage.bytes, damage.note)
                    waiting.subtract(1, ordering: .relaxed)
                }
            }
        }
        thread.withLock { $0 = handle }
    }

    /// The bytes are evidence, not an envelope: where they come faster than the disk takes them, they are left out.
    /// - Returns: false where they are.
    @discardableResult
    public func add(_ bytes: [UInt8], reason: String, peer: String?) -> Bool {
        told.add(1, ordering: .relaxed)
        guard waiting.load(ordering: .relaxed) < Limits.quarantineWaiting else { return false }
        waiting.add(1, ordering: .relaxed)
        return queue.add(Damage(bytes: bytes, note: .init(.damaged, reason, peer: peer)))
    }

    /// Returns once all that was added is written.
    public func stop() {
        queue.close()
        thread.withLock { $0 }?.join()
    }
}
