import Envelope
import Journal
import Mesh
import Testing

@testable import AgentCore

/// What an agent gives to people who carry it away.
struct AgentCarriageTests {
    /// Of a later stream of a job nothing is carried past an earlier one, unless that is asked for.
    @Test func whatWaitsForAnEarlierStreamStays() {
        let scene = AgentScene()
        for sequence in 1...2 as ClosedRange<UInt64> { scene.submit(1, sequence) }
        scene.turn()
        scene.submit(2, 1)
        scene.turn()
        #expect(scene.copies(withHeld: false).copies.count == 2)
        let all = scene.copies(withHeld: true)
        #expect(all.copies.count == 3 && all.nodes.count == 2)
        #expect(scene.copies(withHeld: true) { _ in false } == DurableCopies())
        scene.connect()
        scene.bringReceipt(1, 2)
        #expect(scene.copies(withHeld: false).copies.count == 1, "its turn has come")
    }

    @Test func aCopyIsTheEnvelopeAsItWasSealed() throws {
        let scene = AgentScene()
        scene.submit(1, 1)
        scene.turn()
        let stored = try #require(scene.copies(withHeld: false).copies.first)
        scene.copy([stored.stored, 999])
        scene.turn()
        let told = scene.facts.compactMap { fact in
            if case .copied(7, let number, let copy) = fact { (number, copy) } else { nil }
        }
        #expect(told.map(\.0) == [stored.stored, 999] && told.last?.1 == nil)
        let copy = try #require(told.first?.1)
        #expect(copy.bytes.count == stored.length)
        #expect(try Header(copy.bytes).stream == Sample.stream(1))
    }
}

extension AgentScene {
    fileprivate func copies(withHeld: Bool, _ isWanted: (NodeID) -> Bool = { _ in true }) -> DurableCopies {
        machine.durableCopies(withHeld: withHeld, isWanted)
    }

    fileprivate func copy(_ stored: [UInt64]) { for number in stored { machine.copy(number, for: 7, &batch) } }
}
