import Admin
import Crypto
import Node

extension DemoStory {
    /// Compares what lies in plant-a with what lies in plant-b, and adds up what the nodes count.
    mutating func report() throws(Failure) -> DemoReport {
        for capture in lines.near.current.capture + lines.far.current.capture {
            blindness.wire = blindness.wire + search.look(at: capture)
        }
        let source = try LocalFile.read(place.temperatures, limit: 64 << 20)
        let copy = try LocalFile.read(place.deliveredTemperatures, limit: 64 << 20)
        let shipped = try LocalFile.read(sources.temperatures, limit: 64 << 20)
        let query = "SELECT \(DemoInput.weatherColumns) FROM weather ORDER BY id;"
        var report = DemoReport(
            temperatures: RowAccount(read: RowFeed(source).rows, delivered: RowFeed(copy).rows),
            weather: RowAccount(
                read: try SQLiteTool.run(query, on: place.weather, readOnly: true),
                delivered: try SQLiteTool.run(query, on: place.deliveredWeather, readOnly: true)),
            inputHash: Self.hash(source), outputHash: Self.hash(copy), shippedHash: Self.hash(shipped),
            blindness: blindness, disturbance: disturbance, recognised: 0, dropped: 0, quarantined: 0)
        for member in mesh.members {
            guard let counters = (try? member.client.status())?.counters else { throw mesh.died(member) }
            report.recognised += counters.duplicates
            report.dropped += counters.dropped.values.reduce(0, +)
            report.quarantined += counters.quarantined
        }
        return report
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        Digest.sha256(bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
