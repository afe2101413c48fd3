import Crypto
import Envelope
import Journal
import Keyring
import Mesh
import Node
import Platform

// Messages sent and fetched by hand.
extension AgentService {
    static func send(_ request: AdminRequest, _ agent: ReactorBound<AgentService>) -> AdminResponse {
        guard let text = request.query["to"] else {
            return .problem(status: 400, "no destination", hint: "add ?to=zone/name")
        }
        let destination: NodeName
        do throws(NameError) { destination = try NodeName(text) } catch {
            return .problem(status: 400, error.description)
        }
        do {
            let maker = try agent.ask { $0.messenger(to: destination) }
            let topic = request.query["topic"] ?? MessageTopic.usual
            var batch = try RecordBatch.Builder(topic: topic, limit: Limits.batchBytes)
            try batch.append(
                key: request.query["key"].map { Array($0.utf8) }, value: request.body, headers: [], at: Clock.wall)
            let durable = Reply<Bool>()
            let made = try maker.make(batch.finish(), records: 1, checkpoint: nil)
            try agent.ask { $0.wait(.durable, made.stream, made.sequence) { durable.fill(true) } }
            guard durable.wait(within: .seconds(30)) == true else {
                return .problem(
                    status: 503, "the message is not durable yet; the disk is slow or full",
                    hint: "it may still be sent; see relayctl node status")
            }
            var result = SendResult(stream: made.stream.description, sequence: made.sequence.number, records: 1)
            guard request.query["wait"] == "receipt" else { return .json(status: 200, result) }
            let limit = min(86_400, max(1, Int(request.query["timeout"] ?? "") ?? 60))
            let receipted = Reply<Bool>()
            try agent.ask { $0.wait(.receipted, made.stream, made.sequence) { receipted.fill(true) } }
            result.receipted = receipted.wait(within: .seconds(limit)) ?? false
            return .json(status: 200, result)
        } catch let error as JobFailure {
            return .problem(status: 409, error.description)
        } catch {
            return .problem(status: 503, "\(error)")
        }
    }

    /// The maker of messages to a destination; a job of its own in the outbox.
    private func messenger(to destination: NodeName) -> EnvelopeMaker {
        if let maker = messengers[destination.description] { return maker }
        let settings = EnvelopeMaker.Settings(
            job: "message:\(destination)", destination: destination, lane: .live, compression: .none,
            lifetime: UInt32(clamping: configuration.lifetime.components.seconds))
        let maker = makeMaker(settings)
        messengers[destination.description] = maker
        return maker
    }

    private func wait(
        _ stage: MessageWaiter.Stage, _ stream: StreamID, _ sequence: Sequence, _ tell: @escaping @Sendable () -> Void
    ) {
        let index = outbox.streamIndex[stream]
        let isDone =
            switch stage {
            case .durable: index.map { sequence <= outbox.streams[$0].last } ?? false
            case .receipted: index.map { sequence < outbox.floor(of: $0) } ?? false
            }
        if isDone {
            tell()
        } else {
            waiters.append(MessageWaiter(stage: stage, stream: stream, sequence: sequence, tell: tell))
        }
    }

    // MARK: Mailbox

    static func list(_ request: AdminRequest, _ agent: ReactorBound<AgentService>) -> AdminResponse {
        do {
            let (layout, names) = try agent.ask { ($0.mailboxLayout, $0.names) }
            let limit = min(1000, max(1, Int(request.query["limit"] ?? "") ?? 100))
            return .json(
                status: 200, try Mailbox(layout).list(topic: request.query["topic"], limit: limit, names: names))
        } catch {
            return .problem(status: 503, "\(error)")
        }
    }

    static func remove(_ id: String, _ agent: ReactorBound<AgentService>) -> AdminResponse {
        do {
            let layout = try agent.ask { $0.mailboxLayout }
            guard try Mailbox(layout).remove(id) else {
                return .problem(status: 404, "there is no message \(id.prefix(80)) in the mailbox")
            }
            return .text(status: 200, contentType: "text/plain", "removed\n")
        } catch {
            return .problem(status: 503, "\(error)")
        }
    }
}
