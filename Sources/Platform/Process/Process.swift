import CUV
import Glibc

/// What a daemon asks of the system for its whole process, at its start.
public enum Process {
    /// Writing to a socket whose peer has gone then fails with EPIPE instead of ending the process.
    public static func ignoreSIGPIPE() {
        signal(SIGPIPE, SIG_IGN)
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
