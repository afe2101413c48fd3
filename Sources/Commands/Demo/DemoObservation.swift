import Admin
import Node

/// What the nodes of a demo say at one moment.
struct DemoObservation: Sendable {
    var temperaturesRead: UInt64 = 0
    var weatherRead: UInt64 = 0
    var temperaturesDelivered: UInt64 = 0
    var weatherDelivered: UInt64 = 0
    /// Envelopes that the source still keeps for want of a receipt.
    var unreceipted: UInt64 = 0

    /// Nodes that do not answer count with nothing.
    init(_ mesh: DemoMesh) throws(Failure) {
        if let source = try? mesh[DemoMesh.source].client.status() {
            for job in source.jobs {
                if job.name == "temperature" { temperaturesRead = job.records }
                if job.name == "weather" { weatherRead = job.records }
                unreceipted += job.unreceipted
            }
        }
        if let destination = try? mesh[DemoMesh.destination].client.status() {
            for sink in destination.sinks {
                if sink.name == "temperature" { temperaturesDelivered = sink.records }
                if sink.name == "weather" { weatherDelivered = sink.records }
            }
        }
    }

    var delivered: UInt64 { temperaturesDelivered + weatherDelivered }

    var line: Line {
        Line("   read \(Quantity.count(temperaturesRead)) + \(Quantity.count(weatherRead))")
            + Line("   delivered \(Quantity.count(temperaturesDelivered)) + \(Quantity.count(weatherDelivered))")
    }
}

extension DemoMesh {
    static let source = "plant-a/agent-1"
    static let destination = "plant-b/agent-1"
    static let middle = "dmz/relay-1"
    static let near = "plant-a/relay-1"
    static let far = "plant-b/relay-1"

    /// Envelopes that wait in a node, as `relayctl queue list` shows them; nil where it does not answer.
    func waiting(in name: String) throws(Failure) -> UInt64? {
        let member = try self[name]
        return (try? member.client.queues())?.queues.reduce(0) { $0 + $1.envelopes }
    }

    /// The links that the relay in the middle sees.
    func areLinksUp() throws(Failure) -> Bool {
        let member = try self[Self.middle]
        guard let report = try? member.client.topology() else { return false }
        return report.links.count == topology.links.count && report.links.allSatisfy { $0.state == .up }
    }
}
