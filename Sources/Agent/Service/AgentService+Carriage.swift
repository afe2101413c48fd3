import AgentCore
import Crypto
import Envelope
import Journal
import Mesh
import Node
import Platform

// Copies of the outbox for people who carry them to another node. What is for an agent is brought to its relay.
extension AgentService {
    /// - Returns: nil for what is no question of a carrier.
    static func carry(_ request: AdminRequest, _ agent: ReactorBound<AgentService>) -> AdminResponse? {
        do throws(MailboxError) {
            switch (request.method, request.path) {
            case ("GET", "/v1/stored"): return try list(stored: request, agent)
            case ("POST", "/v1/stored/copies"):
                return try request.answerCopies { (numbers, reply) throws(MailboxError) in
                    try agent.ask { $0.copy(numbers, reply) }
                }
            case ("POST", "/v1/stored"):
                return .problem(
                    status: 409, "an agent takes nothing from a carrier",
                    hint: "bring it to the relay of its zone: relayctl journal import")
            default: return nil
            }
        } catch {
            return .problem(status: 503, error.description)
        }
    }

    private static func list(
        stored request: AdminRequest, _ agent: ReactorBound<AgentService>
    ) throws(MailboxError) -> AdminResponse {
        var question: CarriageQuestion
        do throws(FlowError) { question = try CarriageQuestion(request) } catch {
            return .problem(status: 400, error.description, hint: "a destination is zone/name, zone/* or *")
        }
        // Whether a relay's way leads on, an agent does not know: what has no receipt may be stuck anywhere.
        let withHeld = question.isEverything
        if question.patterns.isEmpty { question.isEverything = true }
        let (copies, names) = try agent.ask { [question] agent in
            var names = agent.names
            names[agent.identity.id] = agent.identity.name
            let copies = agent.machine.durableCopies(withHeld: withHeld) {
                question.wants($0, hasWay: true, name: names[$0])
            }
            return (copies, copies.nodes.compactMap { names[$0] })
        }
        return copies.answer(names: names)
    }

    private func copy(_ numbers: [UInt64], _ reply: CopyDesk.Answer) {
        guard !isStopping, journal != nil else { return reply.fill(nil) }
        let request = copyDesk.begin(numbers, reply)
        drive { machine, _, batch in
            for number in numbers { machine.copy(number, for: request, &batch) }
        }
    }
}
