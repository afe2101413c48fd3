import CUV
import Envelope
import Glibc

/// Wakes one waiting thread. A ring while nobody waits is kept for the next wait; several count as one.
public final class Bell: @unchecked Sendable {
    // Both need an address that stays; they guard `isRung`.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isRung = false

    public init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func ring() {
        pthread_mutex_lock(mutex)
        isRung = true
        pthread_mutex_unlock(mutex)
        // Behind the lock, which the woken thread takes at once.
        pthread_cond_signal(condition)
    }

    /// Waits for a ring, for ever where there is no limit.
    public func wait(within limit: Duration?) {
        var until = timespec()
        if let limit {
            clock_gettime(CLOCK_MONOTONIC, &until)
            let sum = Int64(until.tv_nsec) + max(0, min(limit.wholeNanoseconds, 86_400_000_000_000))
            until.tv_sec += Int(sum / 1_000_000_000)
            until.tv_nsec = Int(sum % 1_000_000_000)
        }
        pthread_mutex_lock(mutex)
        while !isRung {
            if limit == nil {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT {
                break
            }
        }
        isRung = false
        pthread_mutex_unlock(mutex)
    }
}
