import Envelope
import Mesh
import Platform
import Testing

@testable import Node

@Suite(.timeLimit(.minutes(1))) final class LinkHubTests {
    private let identities: IdentityScene
    private let reactor: Reactor
    /// Threads for the links of the hubs made while it is there.
    private var carriers: Carriers?
    /// Connections know their hub, so hubs outlive the reactor's shutting down.
    private var nodes: [Node] = []

    init() throws {
        identities = try IdentityScene()
        reactor = try Reactor()
    }

    /// A hub with what its owner heard.
    private final class Node: LinkHubOwner {
        let hub: LinkHub
        var isUp = false
        var ups: [Neighbour] = []
        var downs: [Neighbour] = []

        init(_ hub: LinkHub) {
            self.hub = hub
            hub.owner = self
        }

        func linkEstablished(_ link: LinkIndex, _ neighbour: Neighbour) {
            isUp = true
            ups.append(neighbour)
        }

        func linkEnded(_ link: LinkIndex, _ neighbour: Neighbour) {
            isUp = false
            downs.append(neighbour)
        }

        func meshMessage(_ message: [UInt8], from neighbour: NodeName) {}
        func perform(_ effects: [Effect]) {}
    }

    private func configuration(_ name: String, listen port: UInt16? = nil, _ rest: String) throws -> NodeConfiguration {
        var configuration = try NodeConfigurationTests.decode(
            """
            node: \(name)
            role: relay
            identity: {certificate: c.pem, key: k.pem, authority: a.pem}
            listen: [{host: 127.0.0.1, port: 17401}]
            store: {directory: store}
            \(rest)

            """)
        configuration.listen = port.map { [.init(host: "127.0.0.1", port: $0)] } ?? []
        return configuration
    }

    private func node(_ configuration: NodeConfiguration, kind: NodeKind = .relay) throws -> Node {
        let identity = try identities.identity(configuration.node.description)
        let forwarder = Forwarder(Forwarder.Configuration(configuration), locals: [identity.id], policy: .open)
        let log = Log(level: .error, output: .function { _ in })
        let node = Node(
            LinkHub(
                reactor, configuration, identity: identity, kind: kind, forwarder: forwarder, carriers: carriers,
                log: log))
        nodes.append(node)
        return node
    }

    /// What a daemon does with `reactors`.
    private func start(_ reactors: Int) throws {
        if reactors > 1 { carriers = try Carriers(reactor, count: reactors) }
    }

    private func shutDown() {
        reactor.shutDown()
        carriers?.stop()
    }

    private func listening(_ rest: String, port: UInt16 = 0) throws -> Node {
        let node = try node(configuration("dmz/relay-1", listen: port, rest))
        try node.hub.start()
        return node
    }

    /// Dials the other, believing it to be `peer`.
    private func dialling(
        _ other: Node, as kind: NodeKind = .agent, expecting peer: String = "dmz/relay-1"
    ) throws -> Node {
        let port = try #require(other.hub.ports.first)
        let links = "links: [{peer: \(peer), dial: {host: 127.0.0.1, port: \(port)}}]"
        let node = try node(configuration("plant-a/node", links), kind: kind)
        try node.hub.start()
        return node
    }

    /// Lets the reactor run until it is so, ten seconds at most.
    private func run(until isDone: @escaping () -> Bool) -> Bool {
        var isLate = false
        let hook = reactor.afterEveryTurn { [reactor] in if isDone() { reactor.stop() } }
        let end = reactor.schedule(after: .seconds(10)) { [reactor] in
            isLate = true
            reactor.stop()
        }
        reactor.run()
        reactor.cancel(end)
        hook.cancel()
        return !isLate
    }

    @Test(arguments: [1, 3]) func aLinkComesUpAtBothEnds(reactors: Int) throws {
        try start(reactors)
        defer { shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let agent = try dialling(relay)
        #expect(run { relay.isUp && agent.isUp })
        let seen = try #require(relay.ups.first)
        #expect(seen.name.description == "plant-a/node")
        #expect(seen.kind == .agent)
        #expect(!seen.dialledByUs)
        #expect(agent.ups.first?.kind == .relay)
        #expect(agent.ups.first?.dialledByUs == true)
        #expect(relay.hub.hasConnections)
        #expect(relay.hub.reactors == reactors)
        #expect(carriers.map { $0.loads.reduce(0, +) == 2 } ?? true)
    }

    @Test func aStrangerToTheConfigurationIsTurnedAwayUntilItIsNamed() throws {
        defer { reactor.shutDown() }
        let relay = try listening("attach: [plant-c/*]")
        let agent = try dialling(relay)
        let name = try NodeName("dmz/relay-1")
        #expect(run { agent.hub.dialReason(of: name) != "dialling" && !agent.isUp })
        #expect(relay.ups.isEmpty)
        // It dials on, so naming it is enough.
        let named = try configuration("dmz/relay-1", listen: 0, "attach: [plant-a/node]")
        relay.hub.apply(named)
        #expect(run { relay.isUp && agent.isUp })
    }

    @Test(arguments: [1, 3]) func whoAnswersInThePlaceOfAnotherGetsNoLink(reactors: Int) throws {
        try start(reactors)
        defer { shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let agent = try dialling(relay, expecting: "dmz/relay-2")
        let name = try NodeName("dmz/relay-2")
        #expect(run { agent.hub.dialReason(of: name)?.contains("dmz/relay-1 answers where") == true })
        #expect(agent.ups.isEmpty)
        #expect(relay.ups.isEmpty)
    }

    @Test func whoSaysItIsARelayAndIsNotConfiguredAsOneGetsNoLink() throws {
        defer { reactor.shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let impostor = try dialling(relay, as: .relay)
        let name = try NodeName("dmz/relay-1")
        #expect(run { impostor.hub.dialReason(of: name) != "dialling" && !impostor.isUp })
        #expect(relay.ups.isEmpty)
    }

    @Test(arguments: [1, 3]) func aLinkThatIsTakenOutOfTheConfigurationIsCut(reactors: Int) throws {
        try start(reactors)
        defer { shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let agent = try dialling(relay)
        #expect(run { relay.isUp && agent.isUp })
        agent.hub.apply(try configuration("plant-a/node", "links: []"))
        #expect(run { !relay.isUp && !agent.isUp })
        #expect(agent.downs.count == 1)
        #expect(relay.downs.first?.reason.isEmpty == false)
        #expect(run { !relay.hub.hasConnections && !agent.hub.hasConnections })
    }

    @Test func anAttachPatternThatIsTakenAwayCutsItsLinks() throws {
        defer { reactor.shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let agent = try dialling(relay)
        #expect(run { relay.isUp && agent.isUp })
        relay.hub.apply(try configuration("dmz/relay-1", listen: 0, "attach: [plant-c/*]"))
        #expect(run { !relay.isUp && !agent.isUp })
    }

    @Test(arguments: [1, 3]) func aPeerThatComesBackIsFoundAgain(reactors: Int) throws {
        try start(reactors)
        defer { shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let port = try #require(relay.hub.ports.first)
        let agent = try dialling(relay)
        #expect(run { relay.isUp && agent.isUp })
        relay.hub.stopListening()
        relay.hub.leaveAll()
        #expect(run { !agent.isUp && !relay.hub.hasConnections })
        let again = try listening("attach: [plant-a/*]", port: port)
        #expect(run { again.isUp && agent.isUp })
        #expect(agent.ups.count == 2)
    }

    /// A renewed identity counts from the next connection on; the session that stands goes on.
    @Test func aRenewalCutsNothing() throws {
        defer { reactor.shutDown() }
        let relay = try listening("attach: [plant-a/*]")
        let agent = try dialling(relay)
        #expect(run { relay.isUp && agent.isUp })
        relay.hub.renew(try identities.identity("dmz/relay-1"))
        agent.hub.renew(try identities.identity("plant-a/node"))
        let other = try node(
            configuration(
                "plant-a/other", "links: [{peer: dmz/relay-1, dial: {host: 127.0.0.1, port: \(relay.hub.ports[0])}}]"),
            kind: .agent)
        try other.hub.start()
        #expect(run { other.isUp })
        #expect(relay.ups.count == 2)
        #expect(relay.downs.isEmpty && agent.downs.isEmpty)
    }
}
