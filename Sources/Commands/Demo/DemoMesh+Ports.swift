import Glibc
import Node

extension DemoMesh {
    /// - Throws: ``Failure`` that names the port, where another process has one that the demo needs.
    func requirePorts() throws(Failure) {
        for node in topology.nodes {
            for address in node.listen {
                guard let port = UInt16(exactly: address.port), !Self.isFree(port) else { continue }
                throw Failure(
                    "port \(port) is in use, which \(node.name) of the demo needs",
                    hint: "perhaps another demo is up: 'relayctl demo down --dir DIR' ends it; "
                        + "'ss -ltnp sport = :\(port)' shows who has the port")
            }
        }
    }

    private static func isFree(_ port: UInt16) -> Bool {
        guard let descriptor = Loopback.socket() else { return true }
        defer { close(descriptor) }
        return Loopback.bind(descriptor, port: port) || errno != EADDRINUSE
    }
}
