import Envelope
import Mesh
import Testing

private struct ToyDirectory: NodeDirectory {
    var directoryVersion: UInt64 = 1
    var names: [String] = []
    var relays: [String] = []
    var offers: [(service: String, node: String)] = []

    func nodeName(of id: NodeID) -> NodeName? { names.first { toyID($0) == id }.map { node($0) } }

    func isRelay(_ id: NodeID) -> Bool { relays.contains { toyID($0) == id } }

    func offers(_ service: NodeID, by node: NodeID) -> Bool {
        offers.contains { toyID($0.service) == service && toyID($0.node) == node }
    }
}

@Suite struct FlowTableTests {
    private var directory = ToyDirectory(names: ["plant-a/press", "plant-a/pump", "plant-b/store", "cloud/manager-1"])

    private func table(_ flows: FlowDeclaration...) throws -> FlowTable { try FlowTable(flows, identify: toyID) }

    private func flow(
        _ name: String, from: [String], to: [String], lane: Lane = .live, isEnabled: Bool = true
    ) throws -> FlowDeclaration {
        FlowDeclaration(
            name: name, from: try from.map { try FlowPattern($0) }, to: try to.map { try FlowPattern($0) }, lane: lane,
            isEnabled: isEnabled)
    }

    private func ask(
        _ table: inout FlowTable, _ source: String, _ destination: String, _ lane: Lane = .live,
        _ traffic: FlowTraffic = .data
    ) -> Int? {
        table.permits(
            source: toyID(source), destination: toyID(destination), lane: lane, traffic: traffic, directory: directory)?
            .number
    }

    @Test func nothingIsPermittedUndeclared() throws {
        var empty = FlowTable()
        #expect(ask(&empty, "plant-a/press", "plant-b/store") == nil)
        var disabled = try table(flow("off", from: ["*"], to: ["*"], isEnabled: false))
        #expect(ask(&disabled, "plant-a/press", "plant-b/store") == nil)
        #expect(disabled.declarations.count == 1)
    }

    @Test func aFlowGoesItsWayOnly() throws {
        var table = try table(flow("one", from: ["plant-a/press"], to: ["plant-b/store"]))
        #expect(ask(&table, "plant-a/press", "plant-b/store") == 0)
        #expect(ask(&table, "plant-b/store", "plant-a/press") == nil)
        #expect(ask(&table, "plant-a/pump", "plant-b/store") == nil)
        #expect(ask(&table, "plant-a/press", "cloud/manager-1") == nil)
        #expect(table[FlowIndex(0)].name == "one")
    }

    @Test func lanesAreKept() throws {
        var table = try table(
            flow("live", from: ["plant-a/press"], to: ["*"], lane: .live),
            flow("bulk", from: ["plant-a/pump"], to: ["*"], lane: .bulk))
        #expect(Lane.allCases.map { ask(&table, "plant-a/press", "plant-b/store", $0) } == [nil, 0, 0])
        #expect(Lane.allCases.map { ask(&table, "plant-a/pump", "plant-b/store", $0) } == [nil, nil, 1])
    }

    @Test func zonesNeedKnownNamesAndExactNamesDoNot() throws {
        var table = try table(
            flow("zone", from: ["plant-a/*"], to: ["plant-b/*"]), flow("exact", from: ["x/y"], to: ["x/z"]),
            flow("all", from: ["x/any"], to: ["*"]))
        #expect(ask(&table, "plant-a/pump", "plant-b/store") == 0)
        #expect(ask(&table, "plant-a/unheard", "plant-b/store") == nil)
        #expect(ask(&table, "x/y", "x/z") == 1)
        #expect(ask(&table, "x/any", "who/knows") == 2)
    }

    @Test mutating func anAnswerIsRememberedUntilTheDirectoryChanges() throws {
        var table = try table(flow("zone", from: ["plant-a/*"], to: ["*"]))
        #expect(ask(&table, "plant-a/late", "plant-b/store") == nil)
        directory.names.append("plant-a/late")
        #expect(ask(&table, "plant-a/late", "plant-b/store") == nil)
        directory.directoryVersion = 2
        #expect(ask(&table, "plant-a/late", "plant-b/store") == 0)
        directory.names = []
        directory.directoryVersion = 3
        #expect(ask(&table, "plant-a/late", "plant-b/store") == nil)
    }

    @Test func receiptsGoBackInTheControlLane() throws {
        var table = try table(
            flow("other", from: ["plant-b/store"], to: ["x/y"]), flow("one", from: ["plant-a/*"], to: ["plant-b/store"])
        )
        #expect(ask(&table, "plant-b/store", "plant-a/press", .control, .receipt) == 1)
        #expect(ask(&table, "plant-b/store", "plant-a/press", .live, .receipt) == nil)
        #expect(ask(&table, "plant-a/press", "plant-b/store", .control, .receipt) == nil)
        #expect(ask(&table, "plant-b/store", "plant-a/press", .control, .data) == nil)
    }

    @Test mutating func noticesOfExpiryComeFromRelaysOnTheWayToo() throws {
        directory.relays = ["dmz/relay"]
        var table = try table(flow("one", from: ["plant-a/*"], to: ["plant-b/store"]))
        #expect(ask(&table, "dmz/relay", "plant-a/press", .control, .expiry) == 0)
        #expect(ask(&table, "plant-b/store", "plant-a/press", .control, .expiry) == 0)
        #expect(ask(&table, "plant-a/pump", "plant-a/press", .control, .expiry) == nil)
        #expect(ask(&table, "dmz/relay", "plant-b/store", .control, .expiry) == nil)
        #expect(ask(&table, "dmz/relay", "plant-a/press", .live, .expiry) == nil)
        #expect(ask(&table, "dmz/relay", "plant-a/press", .control, .receipt) == nil)
        #expect(Header.Kind.allCases.map { FlowTraffic($0) } == [.data, .receipt, .expiry])
    }

    @Test mutating func aServiceIsADestinationAndItsProvidersSendReceipts() throws {
        var table = try table(flow("up", from: ["plant-a/*"], to: ["manager"]))
        directory.offers = [("manager", "cloud/manager-1"), ("other", "plant-b/store")]
        #expect(ask(&table, "plant-a/press", "manager") == 0)
        #expect(ask(&table, "plant-a/press", "cloud/manager-1") == nil)
        #expect(ask(&table, "cloud/manager-1", "plant-a/press", .control, .receipt) == 0)
        #expect(ask(&table, "plant-b/store", "plant-a/press", .control, .receipt) == nil)
    }

    @Test func theFirstDeclaredCounts() throws {
        var table = try table(
            flow("off", from: ["*"], to: ["*"], isEnabled: false), flow("wide", from: ["plant-a/*"], to: ["*"]),
            flow("narrow", from: ["plant-a/press"], to: ["plant-b/store"]))
        #expect(ask(&table, "plant-a/press", "plant-b/store") == 1)
    }

    @Test func madeUpAddressesDoNotFillTheMemory() throws {
        var table = try table(flow("one", from: ["plant-a/press"], to: ["plant-b/store"]))
        for index in 0..<(Limits.flowDecisions + 10) {
            let made = NodeID(Bytes16(low: UInt64(index), high: 7))
            let answer = table.permits(
                source: made, destination: made, lane: .live, traffic: .data, directory: directory)
            #expect(answer == nil)
        }
        #expect(table.rememberedDecisions == 10)
        #expect(ask(&table, "plant-a/press", "plant-b/store") == 0)
    }

    @Test func declarationsThatCannotBeMeantThrow() throws {
        let good = try flow("one", from: ["a/b"], to: ["c/d"])
        func refusal(_ flows: [FlowDeclaration]) -> FlowError? {
            do throws(FlowError) {
                _ = try FlowTable(flows, identify: toyID)
                return nil
            } catch {
                return error
            }
        }
        func changed(_ change: (inout FlowDeclaration) -> Void) -> [FlowDeclaration] {
            var flow = good
            change(&flow)
            return [flow]
        }
        #expect(refusal([good]) == nil)
        #expect(refusal([good, good]) == .repeated("one"))
        #expect(refusal(changed { $0.name = "" }) == .name(""))
        #expect(refusal(changed { $0.from = [] }) == .noSource("one"))
        #expect(refusal(changed { $0.to = [] }) == .noDestination("one"))
        #expect(refusal(changed { $0.from = [.service(.manager)] }) == .serviceAsSource("one", .manager))
        #expect(refusal(changed { $0.bytesPerSecond = 0 }) == .noBytes("one"))
        let many = [FlowPattern](repeating: .everything, count: 1025)
        #expect(refusal(changed { $0.to = many }) == .tooManyPatterns("one", 1025))
        #expect(
            refusal((0...Limits.flows).map { index in changed { $0.name = "f\(index)" }[0] }) == .tooManyFlows(4097))
    }
}
