import Crypto
import Envelope
import Mesh
import Node

extension FlowTable {
    init(_ configuration: NodeConfiguration) throws(FlowError) {
        var declarations: [FlowDeclaration] = []
        for flow in configuration.flows {
            var from: [FlowPattern] = []
            for pattern in flow.from { from.append(try FlowPattern(pattern.description)) }
            var to: [FlowPattern] = []
            for pattern in flow.to { to.append(try FlowPattern(pattern.description)) }
            declarations.append(
                FlowDeclaration(
                    name: flow.name, from: from, to: to, lane: flow.lane,
                    bytesPerSecond: flow.limit.map(UInt64.init), quota: Quota(flow.quota),
                    durability: flow.durability.map(Durability.init)))
        }
        try self.init(declarations, identify: { NodeID(ofText: $0) })
    }
}
