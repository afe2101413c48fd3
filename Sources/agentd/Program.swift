import Admin
import Agent
import Connectors
import Glibc
import Node
import Platform

/// The agent's program: the role, the connectors it collects and delivers with, and the edge that serves its admin
/// socket.
@main
enum Program {
    static func main() { exit(run()) }

    /// Outside the main actor, so that callbacks made here may run on the libraries' own threads.
    nonisolated static func run() -> Int32 {
        Process.keepFreedMemory(bytes: 64 << 20)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let connectors = RegisteredConnectors()
        return Daemon.run(
            arguments, name: "agentd", role: .agent, admin: Server(),
            check: { configuration in try AgentService.check(configuration, connectors) },
            makeService: { start in try AgentService(start, connectors: connectors) })
    }
}
