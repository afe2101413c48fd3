import Envelope
import Node

extension Topology {
    static func linkTable(_ mesh: MeshView, _ glyphs: Glyphs, now: WallTime) -> TextTable {
        var table = TextTable([
            .init(title: "FROM"), .init(title: ""), .init(title: "TO"), .init(title: "STATE"),
            .init(title: "COST", isNumber: true), .init(title: "RTT", isNumber: true),
            .init(title: "ENVELOPES", isNumber: true), .init(title: "BYTES", isNumber: true),
            .init(title: "OLDEST", isNumber: true), .init(title: "AS OF", isNumber: true),
            .init(title: "COST BACK", isNumber: true, isWide: true),
            .init(title: "ENVELOPES OUT/BACK", isNumber: true, isWide: true),
            .init(title: "BYTES OUT/BACK", isNumber: true, isWide: true), .init(title: "WHY", isWide: true),
        ])
        for link in mesh.links { table.add(row(link, glyphs, now)) }
        return table
    }

    private static func row(_ link: LinkReport, _ glyphs: Glyphs, _ now: WallTime) -> [Line] {
        let condition: Glyphs.Condition = link.state == .up ? .up : link.state == .down ? .down : .partly
        let (envelopes, envelopesBack) = (link.envelopesQueuedForward, link.envelopesQueuedBack)
        let (bytes, bytesBack) = (link.bytesQueuedForward, link.bytesQueuedBack)
        return [
            Line(link.from),
            Line(glyphs.arrow(toRight: true, toLeft: false, condition), NodeTree.tone(of: condition)),
            Line(link.to),
            Line(link.state.rawValue, tone(of: link.state.rawValue)),
            Line(link.costForward.map { String($0) } ?? "-"),
            Line(link.roundTripMicroseconds.map(Quantity.roundTrip) ?? "-"),
            Line(Quantity.count(envelopes &+ envelopesBack)),
            Line(Quantity.bytes(bytes &+ bytesBack)),
            Line(link.oldestAgeSeconds.map(Quantity.age) ?? "-"),
            Line(Quantity.ago(link.asOf, now: now)),
            Line(link.costBack.map { String($0) } ?? "-"),
            Line("\(Quantity.count(envelopes))/\(Quantity.count(envelopesBack))"),
            Line("\(Quantity.bytes(bytes))/\(Quantity.bytes(bytesBack))"),
            Line(link.reason ?? ""),
        ]
    }
}
