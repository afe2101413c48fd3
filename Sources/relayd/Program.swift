import Admin
import Glibc
import Node
import Relay

/// The relay's program: the role, and the edge that serves its admin socket.
@main
enum Program {
    static func main() { exit(run()) }

    /// Outside the main actor, so that callbacks made here may run on the libraries' own threads.
    nonisolated static func run() -> Int32 {
        let arguments = Array(CommandLine.arguments.dropFirst())
        return Daemon.run(arguments, name: "relayd", role: .relay, admin: Server()) { start in
            try RelayService(start)
        }
    }
}
