import Crypto
import Envelope
import Node

@testable import Mesh

/// Believes everybody, so that what lies behind signatures is reached.
private struct Credulous: AdvertisementTrust {
    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) {
        ([UInt8](repeating: 1, count: Limits.advertisementSignatureBytes), [2])
    }

    func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool { true }
}

private struct Outbound: RouterSink {
    var sent: [[UInt8]] = []

    mutating func send(_ message: [UInt8], to peer: NodeName) { sent.append(message) }
    mutating func routesChanged() {}
    mutating func alarm(_ alarm: RouterAlarm) { _ = alarm.description }
}

extension Target {
    static func advertisement(_ origin: String, _ peers: [String]) -> Advertisement {
        Advertisement(
            origin: Sample.name(origin), stamp: .init(boot: 3, sequence: 4), madeAt: Sample.now,
            softwareVersion: "1", listenPorts: [7400],
            links: peers.sorted().map {
                Advertisement.Link(peer: Sample.name($0), cost: 10, dialledByOrigin: true, isUp: true)
            },
            attached: [.init(node: Sample.name("b/agent"), kind: .agent, dialledByOrigin: false, isUp: true)],
            services: (try? ServiceName("manager")).map { [.init(name: $0, provider: Sample.name("b/agent"))] } ?? [])
    }

    private static let messages: [Seed] = [
        (
            "advertisement",
            LinkStateMessage.advertisements([
                SignedAdvertisement(advertisement("b/relay", ["a/relay", "c/relay"]), signedBy: Credulous())
            ]).encoded()
        ),
        (
            "digest",
            LinkStateMessage.digest([.init(origin: Sample.name("c/relay"), stamp: .init(boot: 9, sequence: 1))])
                .encoded()
        ),
        ("request", LinkStateMessage.request([Sample.name("a/relay"), Sample.name("b/relay")]).encoded()),
    ]

    static let linkState = Target(
        "link-state", "messages between relays", longest: 2048, seeds: { messages },
        run: { input in
            let bytes = Array(input)
            do throws(LinkStateError) {
                let message = try LinkStateMessage(decoding: bytes)
                require(message.encoded() == bytes, "a message is written as it was read")
                guard case .advertisements(let list) = message else { return }
                let packed = LinkStateMessage.messages(with: list)
                require(packed.allSatisfy { $0.count <= Limits.linkStateMessageBytes }, "messages fit their frames")
                let again = packed.flatMap { bytes -> [SignedAdvertisement] in
                    guard case .advertisements(let part)? = try? LinkStateMessage(decoding: bytes) else { return [] }
                    return part
                }
                require(again == list, "all is said, in its order")
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
        })

    static let router = Target(
        "router", "a relay's link state, told anything by its neighbours", longest: 8192,
        seeds: {
            func told(_ list: [Seed]) -> [UInt8] {
                list.reduce(into: []) { bytes, message in
                    bytes += [UInt8(bytes.count & 1), 30]
                    bytes.append(short: message.bytes.count)
                    bytes += message.bytes
                }
            }
            let own = LinkStateMessage.advertisements([
                SignedAdvertisement(advertisement("a/relay", ["c/relay"]), signedBy: Credulous())
            ])
            return [
                ("three", told(messages)), ("own", told([("own", own.encoded())] + messages)),
                ("links", [2, 9, 3, 9, 4, 200, 5, 9, 6, 9]),
            ]
        },
        run: { input in
            var choices = Choices(input)
            var now = Instant.zero
            var sink = Outbound()
            var router = Router(
                local: Sample.name("a/relay"), boot: 1, trust: Credulous(), wall: Sample.now, at: now,
                identify: { NodeID(ofText: $0) })
            let neighbours = [Sample.name("b/relay"), Sample.name("c/relay")]
            for peer in neighbours {
                router.linkUp(peer: peer, kind: .relay, cost: 10, dialledByUs: true, at: now, into: &sink)
            }
            while !choices.isAtEnd {
                let action = choices.byte()
                let peer = neighbours[Int(action & 1)]
                now = now + .milliseconds(Int64(choices.byte()) << (choices.isAtEnd ? 0 : Int64(action >> 4)))
                switch action & 15 {
                case 2, 3: router.linkDown(peer: peer, at: now, into: &sink)
                case 4, 5:
                    router.linkUp(peer: peer, kind: .relay, cost: 1, dialledByUs: false, at: now, into: &sink)
                case 6, 7: router.forgetLink(peer: peer, at: now, into: &sink)
                case 8: router.forgetOrigin(peer, at: now, into: &sink)
                default:
                    do throws(LinkStateError) {
                        try router.receive(choices.run(choices.short()), from: peer, at: now, into: &sink)
                    } catch {
                        _ = error.description
                    }
                }
                if router.nextDeadline <= now { router.timeReached(now, into: &sink) }
                require(router.nextDeadline > now, "what was due is done")
            }
            _ = router.topology(at: now)
            for peer in neighbours { _ = router.route(to: NodeID(of: peer)) }
            for message in sink.sent {
                require(message.count <= Limits.meshMessageBytes, "a message fits its frame")
                require((try? LinkStateMessage(decoding: message)) != nil, "what a relay says is understood")
            }
        })

    static let names = Target(
        "names", "names of nodes, zones and services, patterns, identifiers", longest: 256,
        seeds: {
            ["plant-a/agent", "plant-a", "*", "plant-a/*", "manager", "00ff00ff00ff00ff00ff00ff00ff00ff"].map {
                ($0.filter { $0.isLetter || $0 == "-" || $0.isNumber } + "-\($0.utf8.count)", Array($0.utf8))
            }
        },
        run: { input in
            let text = String(decoding: input, as: UTF8.self)
            do throws(NameError) {
                let name = try NodeName(text)
                require(name.description == text && "\(name.zone)/\(name.local)" == text, "a name is its parts")
                require((try? NodeName(zone: name.zone, local: name.local)) == name, "a name is made of its parts")
                require((name < Sample.here) != (Sample.here < name) || name == Sample.here, "names have an order")
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
            if let name = try? ZoneName(text) { require(name.description == text, "a zone is as written") }
            if let name = try? ServiceName(text) { require(name.description == text, "a service is as written") }
            if let pattern = try? FlowPattern(text) { require(pattern.description == text, "a pattern is as written") }
            if let pattern = NodePattern(text) {
                let here = NodePattern.node(Sample.here)
                require(pattern.matches(Sample.here) == pattern.overlaps(here), "patterns overlap where both match")
                require(here.overlaps(pattern) == pattern.overlaps(here), "overlapping goes both ways")
                require(pattern.overlaps(pattern), "a pattern overlaps itself")
                require(NodePattern(pattern.description) == pattern, "a pattern is as written")
            }
            if let bytes = Hexadecimal.decode(text) {
                require(Hexadecimal.encode(bytes) == text.lowercased(), "digits are as written")
            }
            _ = (Bytes16(hexadecimal: text), Lane(text), Compression(text))
        })
}
