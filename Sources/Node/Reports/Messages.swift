import Envelope

/// What came of `POST /v1/messages`: the envelope is durable at the agent.
public struct SendResult: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    public var schema: Int
    /// The stream's identifier in hexadecimal.
    public var stream: String
    public var sequence: UInt64
    public var records: Int
    /// True once the destination's receipt is there; nil where nobody asked to wait for it.
    public var receipted: Bool?

    public init(stream: String, sequence: UInt64, records: Int, receipted: Bool? = nil) {
        schema = Self.schema
        self.stream = stream
        self.sequence = sequence
        self.records = records
        self.receipted = receipted
    }
}

/// Messages in an agent's mailbox, oldest first: the answer to `GET /v1/messages`.
public struct MessageList: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    public struct Message: Codable, Equatable, Sendable {
        /// Names the message in `DELETE /v1/messages/ID`; letters, digits, `-`, `_` and `.` only.
        public var id: String
        /// `zone/name` of the sender.
        public var source: String
        public var topic: String?
        public var key: MessageBytes?
        public var value: MessageBytes
        /// When the sender's source saw it.
        public var time: WallTime?
        /// When it came into the mailbox.
        public var received: WallTime

        public init(
            id: String, source: String, topic: String? = nil, key: MessageBytes? = nil, value: MessageBytes,
            time: WallTime? = nil, received: WallTime
        ) {
            self.id = id
            self.source = source
            self.topic = topic
            self.key = key
            self.value = value
            self.time = time
            self.received = received
        }
    }

    public var schema: Int
    public var messages: [Message]
    /// Whether the mailbox holds more than the limit let through.
    public var hasMore: Bool

    public init(messages: [Message], hasMore: Bool = false) {
        schema = Self.schema
        self.messages = messages
        self.hasMore = hasMore
    }
}

/// Bytes in a report: `{"text": …}` where they are UTF-8, else `{"base64": …}`.
public struct MessageBytes: Codable, Equatable, Sendable {
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// nil where the bytes are not UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    private enum CodingKeys: String, CodingKey {
        case text, base64
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try container.decodeIfPresent(String.self, forKey: .text) {
            self.init(text)
            return
        }
        let coded = try container.decode(String.self, forKey: .base64)
        guard let bytes = Base64.decode(coded) else {
            throw DecodingError.dataCorruptedError(
                forKey: .base64, in: container, debugDescription: "these are not base64 digits with padding")
        }
        self.init(bytes)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let text {
            try container.encode(text, forKey: .text)
        } else {
            try container.encode(Base64.encode(bytes), forKey: .base64)
        }
    }
}
