import Envelope
import Link

/// What the forwarder knows of one neighbour.
struct LinkSlot {
    var peer: NodeID
    var isUp = false
    var ledger = CustodyLedger()
    /// Queues that can send over this link now, by lane; the front is next.
    var turns = LaneTurns()
    /// What the ended session had under way: a later hello may still say that some of it is safe.
    var orphans: [Orphan] = []
    /// The name of our numbering in the ended session.
    var orphanSession = Bytes16(low: 0, high: 0)
    var outboundSession = Bytes16(low: 0, high: 0)
    /// Usual time from arrival here, over the wait in a queue, to custody at the neighbour, in nanoseconds; 0 before the
    /// first. Without the wait, what a full path keeps in its queues would all be written to disk.
    private(set) var confirmTime: Int64 = 0
    var liveBytes = 0
    var bulkBytes = 0
    /// Where bulk and history have a rate.
    var bulkPacer: Pacer?
    /// When a word of custody may be said at once.
    var nextWordAt = Instant.zero
    /// It is among the ``Forwarder/pausedWords``.
    var isWordPaused = false
    /// There may be something to send or to say.
    var isDirty = false

    init(peer: NodeID, bulkRate: UInt64?) {
        self.peer = peer
        bulkPacer = bulkRate.map { Pacer(bytesPerSecond: $0) }
    }

    mutating func countSent(_ lane: Lane, _ bytes: Int) {
        switch lane {
        case .control: break
        case .live: liveBytes += bytes
        case .bulk: bulkBytes += bytes
        }
    }

    /// Follows the median, not the mean: a few slow destinations behind the link say nothing about the others.
    mutating func noteConfirmTime(_ time: Duration) {
        let sample = max(1, time.wholeNanoseconds)
        guard confirmTime > 0 else {
            confirmTime = sample
            return
        }
        let step = max(1, confirmTime / 16)
        if sample > confirmTime {
            confirmTime = min(sample, confirmTime + step)
        } else {
            confirmTime = max(sample, confirmTime - step)
        }
    }

    struct Orphan {
        var transmission: UInt64
        var instance: InstanceID
    }
}
