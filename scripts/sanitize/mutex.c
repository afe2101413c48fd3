/* Tells ThreadSanitizer of the locks it cannot see.
 *
 * Swift's Mutex takes and leaves a lock that nobody else wants by atomic operations in our own, instrumented code.
 * Where two threads want it at once it goes into libswiftSynchronization, which is not instrumented, and there the
 * kernel hands the lock over by futex. ThreadSanitizer sees two threads in the lock and nothing between them, and
 * reports a race for every Mutex there is, also in the least of programs (scripts/sanitize/mutex.swift).
 *
 * Linked into a program, these stand before the library's own functions, call them, and say what they did. Nothing is
 * suppressed: a variable that is touched outside its lock is reported as before. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

/* The library's function behind ours. Found anew where two threads come at once, which does no harm. */
static void *original(_Atomic(void *) *known, const char *name) {
    void *function = atomic_load(known);
    if (function == NULL) {
        function = dlsym(RTLD_NEXT, name);
        if (function == NULL) abort();
        atomic_store(known, function);
    }
    return function;
}

SWIFT void lock_slow(uint32_t thread, SELF void *handle) __asm__(LOCK);
SWIFT bool try_lock_slow(SELF void *handle) __asm__(TRY_LOCK);
SWIFT void unlock_slow(SELF void *handle) __asm__(UNLOCK);

SWIFT void lock_slow(uint32_t thread, SELF void *handle) {
    static _Atomic(void *) known;
    ((SWIFT void (*)(uint32_t, SELF void *))original(&known, LOCK))(thread, handle);
    __tsan_acquire(handle);
}

SWIFT bool try_lock_slow(SELF void *handle) {
    static _Atomic(void *) known;
    bool taken = ((SWIFT bool (*)(SELF void *))original(&known, TRY_LOCK))(handle);
    if (taken) __tsan_acquire(handle);
    return taken;
}

SWIFT void unlock_slow(SELF void *handle) {
    static _Atomic(void *) known;
    __tsan_release(handle);
    ((SWIFT void (*)(SELF void *))original(&known, UNLOCK))(handle);
}
