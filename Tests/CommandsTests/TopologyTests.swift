import Envelope
import Node
import Testing

@testable import Commands

@Suite struct TopologyTests {
    @Test func table() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topology
            """)
    }
    @Test func wide() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topology -o wide --no-headers
            """)
    }
    @Test func dot() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topology -o dot
            """)
    }
    @Test func yaml() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl queue list -o yaml
            $ relayctl queue list -o json
            $ relayctl queue list
            $ relayctl node status
            """)
    }
    @Test func ring() throws {
        let stage = try Stage { _ in .json(status: 200, Samples.ring) }
        stage.play(
            """
            $ relayctl topology
            """)
    }
}
