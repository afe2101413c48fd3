import AgentCore
import Crypto
import Envelope
import Journal
import Link
import Mesh
import Node
import Platform

extension AgentService: LinkHubOwner {
    public func linkEstablished(_ link: LinkIndex, _ neighbour: Neighbour) {
        drive { machine, _, _ in machine.linkReturned() }
    }
    public func linkEnded(_ link: LinkIndex, _ neighbour: Neighbour) {}

    /// Agents take no part in the mesh's own talk.
    public func meshMessage(_ message: [UInt8], from neighbour: NodeName) {}

    public func perform(_ effects: [Effect]) {
        let now = reactor.now
        drive { machine, exchange, batch in machine.perform(effects, &exchange, &batch, at: now) }
    }

    /// Lends the machine the exchange and a batch for the journal, then acts on what it noticed.
    func drive(
        _ body: (inout AgentMachine<CertificateTrust>, inout Exchange, inout JournalBatch) -> Void
    ) {
        // Its own batch, so that the journal's lock is not held meanwhile.
        var batch = JournalBatch()
        machine.wall = Clock.wall
        body(&machine, &hub.exchange, &batch)
        if !batch.isEmpty { journal?.submit { $0.take(&batch) } }
        var arrivals: [Arrival] = []
        for fact in machine.takeFacts() {
            if case .deliver(let arrival) = fact { arrivals.append(arrival) } else { act(on: fact) }
        }
        if !arrivals.isEmpty { hand(arrivals) }
        keepStreams()
        armTimer()
    }

    private func hand(_ arrivals: [Arrival]) {
        guard inbox?.add(arrivals) != true else { return }
        for arrival in arrivals { machine.giveBack(arrival.instance, .seconds(1), &hub.exchange, at: reactor.now) }
    }

    private func act(on fact: AgentFact) {
        switch fact {
        case .damaged(let bytes, let reason): damages.add(bytes, reason: reason, peer: nil)
        case .forgedReceipt(let source):
            log.error("receipt.forged", "a receipt is not genuine; it has no effect", ["source": source])
            forgedReceipts += 1
        case .expiryNotice(let stream, let numbers, let relay):
            log.warning(
                "notice", "envelopes of ours lived out their lifetime at a relay, which dropped them",
                [
                    "stream": stream, "first": numbers.lowerBound, "last": numbers.upperBound,
                    "relay": hub.neighbours.lazy.compactMap { $0?.name }.first { NodeID(of: $0) == relay }?.description
                        ?? relay.description,
                ])
        case .stored(let stream, let sequence): waiters.tell(.durable, stream, through: sequence)
        case .receipted(let stream, let job, let mark, let floor): receipted(stream, job, through: mark, floor)
        case .expired(let stream, let sequence, let floor):
            log.error(
                "envelope.expired", "an envelope lived out its lifetime without a receipt and was given up",
                ["stream": stream, "sequence": sequence])
            handles[stream]?.raiseFloor(to: floor)
            port.wake()
        case .fellBehind(let stream): fellBehind(stream)
        case .ahead(let job, let isAhead):
            jobs.first { $0.configuration.name == job }?.maker.isAhead = isAhead
            if !isAhead { port.wake() }
        case .ended(let stream, let job):
            handles[stream] = nil
            waiters.forget(stream)
            if let job { jobs.first { $0.configuration.name == job }?.ended(stream) }
        case .submissionRefused, .checkpointRead, .checkpointUnreadable, .unreadableRecord, .readFailed,
            .outboxStalled, .outboxResumed, .copied:
            actOnOutbox(fact)
        case .deliver: break
        }
    }

    private func receipted(_ stream: StreamID, _ job: String, through mark: Sequence, _ floor: Sequence) {
        handles[stream]?.raiseFloor(to: floor)
        jobs.first { $0.configuration.name == job }?.receipted(stream, through: mark)
        port.wake()
        waiters.tell(.receipted, stream, through: mark)
    }

    private func fellBehind(_ stream: StreamID) {
        guard let handle = handles[stream] else { return }
        handle.fellBehind()
        port.wake()
        log.notice(
            "job.overtakes", "a job's backlog goes on as history; what is fresh overtakes it",
            ["job": handle.stream.job, "stream": stream])
    }

    /// What the delivering threads say, on the reactor's thread.
    func take(_ outcomes: [DeliveryOutcome]) {
        let now = reactor.now
        drive { machine, exchange, _ in machine.take(outcomes, &exchange, at: now) }
        hub.finishTurn()
    }
}

extension CertificateTrust: ReceiptTrust {}
