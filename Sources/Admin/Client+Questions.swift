import Node

// What there is to ask a node.
extension Client {
    public func status() throws(ClientError) -> NodeStatus {
        try value(of: AdminRequest(method: "GET", path: "/v1/status"))
    }

    public func topology() throws(ClientError) -> TopologyReport {
        try value(of: AdminRequest(method: "GET", path: "/v1/topology"))
    }

    public func queues() throws(ClientError) -> QueueReport {
        try value(of: AdminRequest(method: "GET", path: "/v1/queues"))
    }

    public func flows() throws(ClientError) -> FlowReport {
        try value(of: AdminRequest(method: "GET", path: "/v1/flows"))
    }

    public func quarantine() throws(ClientError) -> QuarantineReport {
        try value(of: AdminRequest(method: "GET", path: "/v1/quarantine"))
    }

    /// What an agent knows of its streams.
    public func streams() throws(ClientError) -> StreamReport {
        try value(of: AdminRequest(method: "GET", path: "/v1/streams"))
    }

    /// What an agent's sinks say of one stream; waits for them, up to 5 s.
    public func marks(of stream: String) throws(ClientError) -> StreamMarks {
        try value(of: AdminRequest(method: "GET", path: "/v1/streams/" + stream), within: .seconds(5) + timeout)
    }

    /// An envelope of the quarantine as it came.
    public func quarantined(_ id: String) throws(ClientError) -> [UInt8] {
        try answer(to: AdminRequest(method: "GET", path: "/v1/quarantine/" + id))
    }

    /// Takes an envelope out of the quarantine for good.
    public func purge(_ id: String) throws(ClientError) {
        _ = try answer(to: AdminRequest(method: "DELETE", path: "/v1/quarantine/" + id))
    }

    /// Brings an envelope of the quarantine to its sink, or to another one; waits for the sink's word, up to 20 s.
    public func retry(_ id: String, sink: String? = nil) throws(ClientError) -> QuarantineOutcome {
        var request = AdminRequest(method: "POST", path: "/v1/quarantine/\(id)/retry")
        request.query["sink"] = sink
        return try value(of: request, within: .seconds(20) + timeout)
    }

    /// What a node has stored, for those who carry it away: the names of nodes, then numbers.
    /// - Parameter patterns: of destinations; empty: those to which there is no way now.
    public func stored(to patterns: [String], all: Bool) throws(ClientError) -> [UInt8] {
        var request = AdminRequest(method: "GET", path: "/v1/stored")
        if !patterns.isEmpty { request.query["to"] = patterns.joined(separator: ",") }
        if all { request.query["all"] = "true" }
        return try answer(to: request)
    }

    /// Records with the envelopes that have these numbers and are there still.
    public func copies(of stored: [UInt64]) throws(ClientError) -> [UInt8] {
        let body = stored.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        return try answer(
            to: AdminRequest(method: "POST", path: "/v1/stored/copies", body: body), within: .seconds(60) + timeout)
    }

    /// Brings records to a relay; returns once what it took is durable there.
    public func bring(_ records: [UInt8]) throws(ClientError) -> CarriageReport {
        try value(of: AdminRequest(method: "POST", path: "/v1/stored", body: records), within: .seconds(60) + timeout)
    }

    /// Sends one message by an agent; returns once its envelope is durable there.
    ///
    /// - Parameters:
    ///   - destination: `zone/name`.
    ///   - receiptWithin: waits so long for the destination's receipt; nil: does not wait.
    public func send(
        _ value: [UInt8], to destination: String, topic: String? = nil, key: String? = nil,
        receiptWithin: Duration? = nil
    ) throws(ClientError) -> SendResult {
        var request = AdminRequest(method: "POST", path: "/v1/messages", query: ["to": destination], body: value)
        request.query["topic"] = topic
        request.query["key"] = key
        var patience = timeout
        if let receiptWithin {
            request.query["wait"] = "receipt"
            request.query["timeout"] = String(receiptWithin.components.seconds)
            // The node answers at its own limit; this one is for a node that hangs.
            patience = receiptWithin + timeout
        }
        return try self.value(of: request, within: patience)
    }

    /// The oldest messages of an agent's mailbox.
    public func messages(topic: String? = nil, limit: Int) throws(ClientError) -> MessageList {
        var request = AdminRequest(method: "GET", path: "/v1/messages", query: ["limit": String(limit)])
        request.query["topic"] = topic
        return try value(of: request)
    }

    /// Takes a message out of an agent's mailbox.
    public func deleteMessage(_ id: String) throws(ClientError) {
        _ = try answer(to: AdminRequest(method: "DELETE", path: "/v1/messages/" + id))
    }
}
