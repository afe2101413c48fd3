import Admin
import Glibc
import Node
import Platform
import Relay

/// The relay's program: the role, and the edge that serves its admin socket.
@main
enum Program {
    static func main() { exit(run()) }

    /// Outside the main actor, so that callbacks made here may run on the libraries' own threads.
    nonisolated static func run() -> Int32 {
        // The slabs of envelopes, what waits for the journal and what it stages.
        Process.separateLongBlocks(bytes: 512 << 10)
        let arguments = Array(CommandLine.arguments.dropFirst())
        return Daemon.run(arguments, name: "relayd", role: .relay, admin: Server()) { start in
            try RelayService(start)
        }
    }
}
