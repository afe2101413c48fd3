import FoundationEssentials
import Node

/// A response as it goes on the wire.
struct EncodedResponse: Sendable {
    var status: Int
    var contentType: String
    var body: [UInt8]

    init(_ response: AdminResponse) {
        switch response {
        case .json(let status, let value):
            do {
                (self.status, contentType, body) = (status, "application/json", try Self.json(value))
            } catch {
                // Only a number such as NaN gets here.
                let problem = Problem(error: "the answer cannot be written as JSON", hint: "report this as a fault")
                (self.status, contentType) = (500, "application/json")
                body = (try? Self.json(problem)) ?? []
            }
        case .text(let status, let contentType, let text):
            (self.status, self.contentType, body) = (status, contentType, Array(text.utf8))
        case .bytes(let status, let bytes):
            (self.status, contentType, body) = (status, "application/octet-stream", bytes)
        }
    }

    private static func json(_ value: any Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }
}
