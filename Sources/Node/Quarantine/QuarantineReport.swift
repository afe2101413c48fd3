import Envelope
import Journal
import Platform

/// What lies in a node's quarantine: the answer to `GET /v1/quarantine`, the oldest first.
public struct QuarantineReport: Codable, Equatable, Sendable {
    /// The layout of this JSON; rises only when a field changes its meaning or goes.
    public static let schema = 1

    public struct Entry: Codable, Equatable, Sendable {
        public var id: String
        /// `unopened`, `rejected`, `damaged` or `unknown`; see ``QuarantineEntry/Kind``.
        public var kind: String
        public var reason: String
        /// nil where a version before kept it.
        public var received: WallTime?
        public var bytes: Int
        /// The neighbour it came from, where that is known.
        public var peer: String?
        public var topic: String?
        /// The sink that rejected it.
        public var sink: String?
        /// From here on what its header says; nil where there is none. `zone/name`, else hexadecimal.
        public var source: String?
        public var destination: String?
        public var lane: String?
        public var stream: String?
        public var sequence: UInt64?
        public var created: WallTime?
        public var lifetimeSeconds: UInt32?
        public var key: String?

        public init(id: String, kind: String, reason: String, bytes: Int) {
            self.id = id
            self.kind = kind
            self.reason = reason
            self.bytes = bytes
        }
    }

    public var schema: Int
    /// `zone/name` of the node that answers.
    public var node: String
    public var asOf: WallTime
    public var envelopes: [Entry]

    public init(node: String, asOf: WallTime, envelopes: [Entry]) {
        schema = Self.schema
        self.node = node
        self.asOf = asOf
        self.envelopes = envelopes
    }
}

extension QuarantineReport.Entry {
    /// - Parameter name: of a node, as far as it is known.
    init(_ entry: QuarantineEntry, name: (NodeID) -> String) {
        self.init(id: entry.id, kind: entry.note.kind.word, reason: entry.note.reason, bytes: entry.bytes)
        received = entry.received
        peer = entry.note.peer
        topic = entry.note.topic
        sink = entry.note.sink
        guard let header = entry.header else { return }
        source = name(header.source)
        destination = name(header.destination)
        lane = header.lane.description
        stream = header.stream.description
        sequence = header.sequence.number
        created = header.created
        lifetimeSeconds = header.lifetime
        key = header.key.description
    }
}

// What every node answers of its quarantine.
extension Quarantine {
    private static let path = "/v1/quarantine"

    /// Memory only.
    public func report(node: String, asOf: WallTime, name: (NodeID) -> String) -> QuarantineReport {
        QuarantineReport(node: node, asOf: asOf, envelopes: entries.map { .init($0, name: name) })
    }

    /// `GET /v1/quarantine/ID`: the envelope as it came; `DELETE /v1/quarantine/ID`: takes it out. May wait for the disk.
    /// - Returns: nil for any other request.
    public func answer(_ request: AdminRequest) -> AdminResponse? {
        guard let id = Self.id(request) else { return nil }
        do throws(FileError) {
            switch request.method {
            case "GET":
                guard let bytes = try envelope(id) else { return Self.missing(id) }
                return .bytes(status: 200, bytes)
            case "DELETE":
                guard try remove(id) else { return Self.missing(id) }
                log.warning("quarantine.purged", "taken out of the quarantine for good", ["id": id])
                return .json(status: 200, ["removed": id])
            default: return nil
            }
        } catch {
            return .problem(status: 500, error.description)
        }
    }

    /// The last word of a request's path below `/v1/quarantine/`.
    public static func id(_ request: AdminRequest) -> String? {
        guard request.path.hasPrefix(path + "/") else { return nil }
        let id = request.path.dropFirst(path.count + 1)
        return id.isEmpty || id.contains("/") ? nil : String(id)
    }

    public static func missing(_ id: String) -> AdminResponse {
        .problem(status: 404, "nothing here has the id '\(id)'", hint: "relayctl quarantine list shows what there is")
    }
}
