/// What a node answers when it cannot do what it was asked: the body of every status of 400 and above.
public struct Problem: Codable, Equatable, Sendable {
    /// What happened.
    public var error: String
    /// What to do about it.
    public var hint: String?

    public init(error: String, hint: String? = nil) {
        self.error = error
        self.hint = hint
    }
}

extension AdminResponse {
    public static func problem(status: Int, _ error: String, hint: String? = nil) -> AdminResponse {
        .json(status: status, Problem(error: error, hint: hint))
    }

    /// 404 for a path this node does not have, with the ones it has.
    public static func notFound(_ request: AdminRequest, known: [String] = []) -> AdminResponse {
        .problem(
            status: 404, "this node has no \(request.method) \(request.path)",
            hint: known.isEmpty ? nil : "it has: " + known.joined(separator: ", "))
    }
}
