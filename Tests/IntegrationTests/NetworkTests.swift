import Glibc
import Node
import Testing

extension IntegrationTests {
    /// Three zones in network namespaces of their own, with a firewall around the plants that lets connections go out
    /// only. Needs root; GRIDRELAY_SKIP_NETNS=1 leaves it out.
    @Suite(.serialized, .enabled(if: getenv("GRIDRELAY_SKIP_NETNS") == nil, "left out by GRIDRELAY_SKIP_NETNS"))
    struct NetworkTests {
        @Test(.timeLimit(.minutes(2))) func plantsThatOnlyDialOutReachEachOther() async throws {
            try #require(
                getuid() == 0,
                "network namespaces need root; run as root, or set GRIDRELAY_SKIP_NETNS=1 to leave this out")
            let zones = try await Zones()
            let place = try TemporaryDirectory()
            try place.makeDirectory("input")
            try place.makeDirectory("output")
            let text = Array((0..<5000).map { "line \($0)\n" }.joined().utf8)
            var layout = Layout()
            try layout.relay("plant-a/relay-1", host: "0.0.0.0", port: 17_401)
            try layout.relay("dmz/relay-1", host: "0.0.0.0", port: 17_402)
            try layout.relay("plant-b/relay-1", host: "0.0.0.0", port: 17_403)
            layout.agent(
                "plant-a/agent-1",
                jobs: [
                    "{name: lines, to: plant-b/agent-1, schedule: {every: 50ms}, "
                        + "source: {kind: files, path: ../../input/lines.txt, mode: lines}}"
                ])
            layout.agent(
                "plant-b/agent-1",
                sinks: ["{name: lines, topics: [lines], sink: {kind: files, directory: ../../output, name: lines.txt}}"]
            )
            layout.link("plant-a/agent-1", "plant-a/relay-1", dial: 17_401)
            layout.link("plant-b/agent-1", "plant-b/relay-1", dial: 17_403)
            layout.link("plant-a/relay-1", "dmz/relay-1", dial: 17_402, host: zones.address(ofMiddleFor: "plant-a"))
            layout.link("plant-b/relay-1", "dmz/relay-1", dial: 17_402, host: zones.address(ofMiddleFor: "plant-b"))
            layout.flow("a-to-b", from: "plant-a/agent-1", to: "plant-b/agent-1")
            let bed = try await Testbed.make(layout, in: place)
            for name in bed.names { bed.place(name, inNetwork: zones.name(name.prefix { $0 != "/" })) }
            try await bed.startAll()

            // Before the firewall the plants' relays can be reached from the middle, so the check itself works.
            for (plant, port) in [("plant-a", 17_401), ("plant-b", 17_403)] {
                #expect(try await zones.canConnect(from: "dmz", to: zones.address(of: plant), port: port))
                try await zones.closeFirewall(of: plant)
                #expect(try await !zones.canConnect(from: "dmz", to: zones.address(of: plant), port: port))
                let other = plant == "plant-a" ? "plant-b" : "plant-a"
                #expect(try await !zones.canConnect(from: other, to: zones.address(of: plant), port: port))
            }
            // New sessions, so that none stands from before the firewall.
            for name in ["plant-a/relay-1", "plant-b/relay-1"] { bed.kill(name) }
            try await bed.startAll()
            try place.write(text, to: "input/lines.txt")
            try await bed.awaitFile("output/lines.txt", is: text)
            let report = try bed.status("dmz/relay-1")
            #expect(
                report.links.filter { $0.state == .up }.map(\.from).sorted() == ["plant-a/relay-1", "plant-b/relay-1"])
        }
    }
}

/// Three network namespaces; both plants are joined to the middle by a cable of their own.
final class Zones: Sendable {
    private let mark = String(getpid(), radix: 36)

    init() async throws {
        for zone in ["plant-a", "dmz", "plant-b"] {
            try await mustRun(["ip", "netns", "add", name(zone)])
            try await inside(zone, ["ip", "link", "set", "lo", "up"])
        }
        for (plant, number) in [("plant-a", 1), ("plant-b", 2)] {
            let ends = (plant: "gr\(mark)p\(number)", middle: "gr\(mark)m\(number)")
            try await mustRun([
                "ip", "link", "add", ends.plant, "netns", name(plant), "type", "veth", "peer", "name", ends.middle,
                "netns", name("dmz"),
            ])
            for (zone, end, address) in [
                (plant, ends.plant, self.address(of: plant)), ("dmz", ends.middle, self.address(ofMiddleFor: plant)),
            ] {
                try await inside(zone, ["ip", "address", "add", address + "/24", "dev", end])
                try await inside(zone, ["ip", "link", "set", end, "up"])
            }
            try await inside(plant, ["ip", "route", "add", "default", "via", self.address(ofMiddleFor: plant)])
        }
        // The middle could pass packets on; the plants must be closed by their own firewall.
        try await inside("dmz", ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
    }

    deinit {
        let arguments = ["plant-a", "dmz", "plant-b"].map { "ip netns del " + name($0) }
        _ = system("{ " + arguments.joined(separator: "; ") + "; } >/dev/null 2>&1")
    }

    func name(_ zone: some StringProtocol) -> String { "gridrelay-\(mark)-\(zone)" }

    func address(of plant: String) -> String { plant == "plant-a" ? "10.213.1.2" : "10.213.2.2" }
    func address(ofMiddleFor plant: String) -> String { plant == "plant-a" ? "10.213.1.1" : "10.213.2.1" }

    /// Nothing comes in but answers.
    func closeFirewall(of plant: String) async throws {
        for rule in [
            "add table inet zone",
            "add chain inet zone input { type filter hook input priority 0; policy drop; }",
            "add rule inet zone input iif lo accept",
            "add rule inet zone input ct state established,related accept",
        ] { try await inside(plant, ["nft", rule]) }
    }

    func canConnect(from zone: String, to address: String, port: Int) async throws -> Bool {
        let script = "exec 3<>/dev/tcp/\(address)/\(port)"
        let result = try await run(["ip", "netns", "exec", name(zone), "timeout", "1", "bash", "-c", script])
        return result.ending == .exit(0)
    }

    private func inside(_ zone: String, _ command: [String]) async throws {
        try await mustRun(["ip", "netns", "exec", name(zone)] + command)
    }
}
