import Envelope
import Testing

@testable import Link

/// What comes behind something the owner must act on first waits until it has.
struct PauseTests {
    /// Two envelopes, a message of the mesh, an envelope, another message, an envelope.
    private var stream: [UInt8] {
        let pair = Pair()
        let sender = pair.a
        sender.send(1)
        sender.send(2)
        sender.session.sendMesh([10])
        sender.send(3)
        sender.session.sendMesh([20])
        sender.send(4)
        return sender.take()
    }

    @Test func nothingBehindAMeshMessageIsLookedAtBeforeTheOwnerReadsOn() {
        let pair = Pair()
        pair.b.heard.pausesAtMesh = true
        pair.b.receive(stream)
        #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2])
        #expect(pair.b.isPaused)
        pair.b.resume()
        #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2, 3])
        #expect(pair.b.heard.mesh == [[10], [20]])
        pair.b.resume()
        #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2, 3, 4])
        #expect(!pair.b.isPaused && pair.b.error == nil)
    }

    @Test func bytesThatComeDuringAPauseFollowInOrder() {
        let bytes = stream
        for cut in 0...bytes.count {
            let pair = Pair()
            pair.b.heard.pausesAtMesh = true
            pair.b.receive(Array(bytes[..<cut]))
            pair.b.receive(Array(bytes[cut...]))
            for _ in 0..<3 { pair.b.resume() }
            #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2, 3, 4], "cut at \(cut)")
            #expect(pair.b.heard.mesh == [[10], [20]])
            #expect(!pair.b.isPaused && pair.b.error == nil)
        }
    }

    @Test func oneByteAtATimeWithAPauseAtEach() {
        let pair = Pair()
        pair.b.heard.pausesAtMesh = true
        for byte in stream {
            pair.b.receive([byte])
            if pair.b.heard.mustPause { pair.b.resume() }
        }
        #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2, 3, 4])
        #expect(pair.b.error == nil)
    }

    /// The owner has acted on what it was told and not yet read on, when more comes: that waits its turn.
    @Test func bytesThatComeBetweenTheActAndTheReadingOnFollowInOrder() {
        let bytes = stream
        for cut in 0...bytes.count {
            let pair = Pair()
            pair.b.heard.pausesAtMesh = true
            pair.b.receive(Array(bytes[..<cut]))
            pair.b.heard.mustPause = false
            pair.b.receive(Array(bytes[cut...]))
            for _ in 0..<3 { pair.b.resume() }
            #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2, 3, 4], "cut at \(cut)")
            #expect(pair.b.heard.mesh == [[10], [20]])
        }
    }

    /// Behind a hello, before the owner knows its neighbour.
    @Test func whatIsHeldIsReadFirst() {
        let bytes = stream
        for cut in 0...bytes.count {
            let pair = Pair()
            Array(bytes[..<cut]).withUnsafeBytes { pair.b.session.hold($0) }
            #expect(pair.b.isPaused == (cut > 0))
            pair.b.receive(Array(bytes[cut...]))
            if cut > 0 { #expect(pair.b.heard.envelopes.isEmpty) }
            pair.b.resume()
            #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2, 3, 4], "cut at \(cut)")
            #expect(!pair.b.isPaused)
        }
    }

    @Test func aSessionThatHasEndedHoldsNothing() {
        let pair = Pair()
        _ = pair.b.abandon()
        [1, 2, 3].withUnsafeBytes { pair.b.session.hold($0) }
        #expect(!pair.b.isPaused)
    }

    @Test func anEndedSessionKeepsNothingBack() {
        let pair = Pair()
        pair.b.heard.pausesAtMesh = true
        pair.b.receive(stream)
        _ = pair.b.abandon()
        #expect(!pair.b.isPaused)
        pair.b.resume()
        #expect(pair.b.heard.envelopes.map(\.transmission) == [1, 2])
    }
}
