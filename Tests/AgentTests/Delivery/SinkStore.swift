import Envelope
import Mesh
import Node
import Platform
import Synchronization

@testable import Agent
@testable import AgentCore

/// What lies behind the sinks of a test: it outlives each of them, as a database outlives its connections.
final class SinkStore: Sendable {
    enum Fault {
        case before(ConnectorError.Kind)
        /// The commit takes effect, and the answer is lost.
        case after
    }

    struct Place: Hashable {
        var stream: StreamID
        var sequence: UInt64
    }

    struct State {
        var marks: [StreamID: Sequence] = [:]
        var applied: [Place] = []
        /// Records that had an effect, by place.
        var records: [Place: Int] = [:]
        /// Of the coming commits, in turn.
        var faults: [Fault] = []
        /// Never taken while they stand here, unless without records.
        var rejected: Set<Place> = []
        var openings = 0
        var openingFaults: [ConnectorError.Kind] = []
        var markFaults: [ConnectorError.Kind] = []
    }

    let state = Mutex(State())
    /// One for each commit asked for.
    let attempts = Collected<Int>()

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var applied: [UInt64] { state.withLock { $0.applied.map(\.sequence) } }

    func applied(_ stream: StreamID) -> [UInt64] {
        state.withLock { $0.applied.filter { $0.stream == stream }.map(\.sequence) }
    }

    var factory: ConnectorMaking.SinkFactory {
        { [self] () throws(ConnectorError) in
            let fault = state.withLock { state in
                state.openings += 1
                return state.openingFaults.isEmpty ? nil : state.openingFaults.removeFirst()
            }
            if let fault { throw ConnectorError(fault, "cannot be opened") }
            return StoreSink(self)
        }
    }

    fileprivate func mark(of stream: StreamID) throws(ConnectorError) -> Sequence {
        let (mark, fault) = state.withLock { state in
            (state.marks[stream] ?? .none, state.markFaults.isEmpty ? nil : state.markFaults.removeFirst())
        }
        if let fault { throw ConnectorError(fault, "cannot tell the mark") }
        return mark
    }

    fileprivate func apply(_ deliveries: [Delivery]) throws(ConnectorError) {
        let error = state.withLock { state -> ConnectorError? in
            let fault = state.faults.isEmpty ? nil : state.faults.removeFirst()
            if case .before(let kind)? = fault { return ConnectorError(kind, "cannot commit") }
            var next = state
            for delivery in deliveries {
                let place = Place(stream: delivery.stream, sequence: delivery.sequence.number)
                let records = (try? RecordBatch.Reader(delivery.batch))?.count ?? 0
                if records > 0, state.rejected.contains(place) { return ConnectorError(.rejected, "does not fit") }
                guard delivery.sequence > next.marks[delivery.stream] ?? .none else {
                    return ConnectorError(.configuration, "a delivery does not rise above its mark")
                }
                next.marks[delivery.stream] = delivery.sequence
                next.applied.append(place)
                next.records[place] = records
            }
            state = next
            if case .after? = fault { return ConnectorError(.transient, "the answer was lost") }
            return nil
        }
        attempts.append(deliveries.count)
        if let error { throw error }
    }
}

private final class StoreSink: Sink {
    private let store: SinkStore
    init(_ store: SinkStore) { self.store = store }
    func mark(of stream: StreamID) throws(ConnectorError) -> Sequence { try store.mark(of: stream) }
    func apply(_ deliveries: [Delivery]) throws(ConnectorError) { try store.apply(deliveries) }
}

extension Swift.Sequence where Element == DeliveryOutcome {
    /// Instances that are done with, in the order told.
    var finished: [UInt64] { compactMap { if case .finished(let instance) = $0 { instance.token } else { nil } } }

    /// Those given back as something that others should pass.
    var setAside: [UInt64] {
        compactMap { outcome in
            if case .giveBack(let instance, let delay) = outcome, delay >= .seconds(1) { instance.token } else { nil }
        }
    }

    var givenBack: [UInt64] { compactMap { if case .giveBack(let instance, _) = $0 { instance.token } else { nil } } }

    func marks(of stream: StreamID) -> [UInt64] {
        compactMap { outcome in
            guard case .mark(_, let marked, let sequence) = outcome, marked == stream else { return nil }
            return sequence.number
        }
    }
}
