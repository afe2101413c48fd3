import Envelope
import Synchronization

@testable import Agent
@testable import AgentCore

/// What the sources of a test read: texts, of which a checkpoint is the number read.
final class SourceScript: Sendable {
    struct State {
        var texts: [String] = []
        var atOnce = 1
        /// Says there is no more though there is.
        var hidesMore = false
        var again: Duration?
        /// Of the coming reads, in turn; nil for one that succeeds. A read that fails has appended something already.
        var faults: [ConnectorError.Kind?] = []
        var openings = 0
        var openingFaults: [ConnectorError.Kind] = []
        var acknowledgeFaults: [ConnectorError.Kind] = []
    }

    let state = Mutex(State())
    /// Where each read began.
    let reads = Collected<Int>()
    let acknowledged = Collected<Int>()

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    static func checkpoint(_ count: Int) -> Checkpoint { Checkpoint(Array("\(count)".utf8)) }
    static func count(_ checkpoint: Checkpoint?) -> Int {
        checkpoint.flatMap { Int(String(decoding: $0.bytes, as: UTF8.self)) } ?? 0
    }

    var factory: ConnectorMaking.SourceFactory {
        { [self] () throws(ConnectorError) in
            let fault = state.withLock { state in
                state.openings += 1
                return state.openingFaults.isEmpty ? nil : state.openingFaults.removeFirst()
            }
            if let fault { throw ConnectorError(fault, "cannot be opened") }
            return ScriptedSource(self)
        }
    }

    var openings: Int { state.withLock { $0.openings } }
}

private final class ScriptedSource: Source {
    private let script: SourceScript
    init(_ script: SourceScript) { self.script = script }

    func read(
        into batch: inout RecordBatch.Builder, after checkpoint: Checkpoint?
    ) throws(ConnectorError) -> ReadOutcome {
        let start = SourceScript.count(checkpoint)
        let (texts, hasMore, again, fault) = script.state.withLock { state in
            let end = min(state.texts.count, start + state.atOnce)
            let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
            return (
                Array(state.texts[min(start, end)..<end]), end < state.texts.count && !state.hidesMore, state.again,
                fault
            )
        }
        var taken = 0
        var isFull = false
        do throws(EnvelopeError) {
            for text in texts {
                try batch.append(key: nil, value: text.utf8, at: WallTime(milliseconds: 1))
                taken += 1
            }
        } catch {
            guard error == .batchFull else { throw ConnectorError(.rejected, "\(error)") }
            isFull = true
        }
        script.reads.append(start)
        if let fault { throw ConnectorError(fault, "cannot be read") }
        return ReadOutcome(
            checkpoint: taken == 0 ? checkpoint : SourceScript.checkpoint(start + taken),
            hasMore: hasMore || isFull, again: again)
    }

    func acknowledge(_ checkpoint: Checkpoint) throws(ConnectorError) {
        let fault = script.state.withLock { state in
            state.acknowledgeFaults.isEmpty ? nil : state.acknowledgeFaults.removeFirst()
        }
        if let fault { throw ConnectorError(fault, "cannot tidy up") }
        script.acknowledged.append(SourceScript.count(checkpoint))
    }
}
