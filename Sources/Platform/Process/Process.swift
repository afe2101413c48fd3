import CUV
import Glibc

/// What a daemon asks of the system for its whole process, at its start.
public enum Process {
    /// Writing to a socket whose peer has gone then fails with EPIPE instead of ending the process.
    public static func ignoreSIGPIPE() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Lets malloc keep up to so many bytes that are free, and take what is shorter than half of it from them.
    ///
    /// For a process that makes long arrays on one thread and drops them on another: glibc would give them back to the
    /// system and ask for them anew, a page fault for each 4 KiB.
    public static func keepFreedMemory(bytes: Int32) {
        mallopt(M_TRIM_THRESHOLD, bytes)
        mallopt(M_MMAP_THRESHOLD, bytes / 2)
    }

    /// Has malloc take each block of so many bytes and more from the system and give it back when it is freed.
    ///
    /// For a process whose long blocks are few, used again by itself and now and then many: else glibc takes them from its
    /// heap once it has freed the first, and what is free there between others stays resident.
    public static func separateLongBlocks(bytes: Int32) {
        mallopt(M_MMAP_THRESHOLD, bytes)
    }

    /// Keeps the process's memory, and with it its keys, out of core files and from other processes of the same
    /// user.
    /// - Returns: false where the system refused either.
    @discardableResult
    public static func hardenMemory() -> Bool {
        let dumps = cuv_deny_dumps()
        let cores = cuv_deny_core_files()
        return dumps == 0 && cores == 0
    }
}
