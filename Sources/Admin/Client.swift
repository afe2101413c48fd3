import FoundationEssentials
import Node

/// Asks a node over its admin socket. Each call is one connection; calls from several threads are fine.
public struct Client: Sendable {
    public let socket: String
    /// How long an answer may take.
    public let timeout: Duration

    /// - Parameter socket: the path of the node's admin socket.
    public init(socket: String, timeout: Duration = .seconds(10)) {
        self.socket = socket
        self.timeout = timeout
    }

    /// Asks anything.
    /// - Returns: the body of the answer.
    /// - Throws: ``ClientError``; ``ClientError/refused(status:_:)`` for a status of 400 and above.
    public func answer(to request: AdminRequest, within patience: Duration? = nil) throws(ClientError) -> [UInt8] {
        let answer = try Exchange.perform(request, socket: socket, timeout: patience ?? timeout)
        guard answer.status >= 400 else { return answer.body }
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body))
        let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
        throw .refused(
            status: answer.status,
            problem ?? Problem(error: "the node answered with status \(answer.status): \(text)"))
    }

    func value<Value: Decodable>(
        of request: AdminRequest, within patience: Duration? = nil
    ) throws(ClientError) -> Value {
        let body = try answer(to: request, within: patience)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(body))
        } catch {
            throw .badAnswer(socket, reason: "its answer to \(request.path) is not a \(Value.self) in JSON")
        }
    }
}
