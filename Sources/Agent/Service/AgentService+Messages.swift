import AgentCore
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
        let asked: MessageRequest
        do throws(MessageRequest.Refusal) { asked = try MessageRequest(request, at: Clock.wall) } catch {
            return .problem(status: 400, error.text, hint: error.hint)
        }
        let destination = asked.destination
        do {
            guard let maker = try agent.ask({ $0.messenger(to: destination) }) else {
                return .problem(status: 409, JobFailure.noKey(destination.description).description)
            }
            guard maker.hasRoom else {
                return .problem(
                    status: 503,
                    "too many messages to \(destination) wait for their receipts, or the agent is stopping",
                    hint: "see relayctl node status")
            }
            let made = try maker.make(asked.batch, records: 1, checkpoint: nil)
            guard try wait(.durable, made, within: .seconds(30), agent) else {
                return .problem(
                    status: 503, "the message is not durable yet; the disk is slow or full",
                    hint: "it may still be sent; see relayctl node status")
            }
            var result = SendResult(stream: made.stream.description, sequence: made.sequence.number, records: 1)
            if let limit = asked.receiptWithin { result.receipted = try wait(.receipted, made, within: limit, agent) }
            return .json(status: 200, result)
        } catch let error as JobFailure {
            return .problem(status: 409, error.description)
        } catch {
            return .problem(status: 503, "\(error)")
        }
    }

    /// The maker of messages to a destination; a job of its own in the outbox. nil where no key is shared with it, so
    /// that there are never more than peers.
    private func messenger(to destination: NodeName) -> EnvelopeMaker? {
        guard !isStopping, keys.current.sealing(for: NodeID(of: destination), at: Clock.wall) != nil else { return nil }
        if let maker = messengers[destination.description] { return maker }
        let settings = EnvelopeMaker.Settings(
            job: "message:\(destination)", destination: destination, lane: .live, compression: .none,
            lifetime: UInt32(clamping: configuration.lifetime.components.seconds))
        let maker = makeMaker(settings)
        messengers[destination.description] = maker
        return maker
    }

    /// Waits on the caller's thread.
    private static func wait(
        _ stage: MessageWaiters.Stage, _ made: (stream: StreamID, sequence: Sequence), within limit: Duration,
        _ agent: ReactorBound<AgentService>
    ) throws(MailboxError) -> Bool {
        let reply = Reply<Bool>()
        let number = try agent.ask { $0.expect(stage, made.stream, made.sequence) { reply.fill($0) } }
        let answer = reply.wait(within: limit)
        if answer == nil, let number { agent.post { $0.waiters.remove(number, of: made.stream) } }
        return answer ?? false
    }

    /// - Returns: the waiter's number; nil where it was told at once.
    private func expect(
        _ stage: MessageWaiters.Stage, _ stream: StreamID, _ sequence: Sequence,
        _ tell: @escaping @Sendable (Bool) -> Void
    ) -> UInt64? {
        // A stream that has ended is neither in the outbox nor being made.
        let hasEnded = machine.isDurable(stream, sequence) == nil && handles[stream] == nil
        let isDone =
            switch stage {
            case .durable: machine.isDurable(stream, sequence) ?? hasEnded
            case .receipted: machine.isReceipted(stream, sequence) ?? hasEnded
            }
        if isDone || isStopping {
            tell(isDone)
            return nil
        }
        return waiters.add(stage, stream, sequence, tell)
    }

    // MARK: Mailbox

    static func list(_ request: AdminRequest, _ agent: ReactorBound<AgentService>) -> AdminResponse {
        do {
            let (layout, names) = try agent.ask { ($0.mailboxLayout, $0.names) }
            let query = MessageQuery(request)
            return .json(status: 200, try Mailbox(layout).list(topic: query.topic, limit: query.limit, names: names))
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
