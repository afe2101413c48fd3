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
