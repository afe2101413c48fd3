import Envelope
import Mesh

/// An opened batch on its way into a sink.
package struct SinkItem: Sendable {
    package var instance: InstanceID
    package var source: NodeID
    package var stream: StreamID
    package var sequence: Sequence
    /// The lowest sequence the source still cares for.
    package var floor: Sequence
    /// The decompressed record batch.
    package var batch: [UInt8]
    package var records: Int
    /// The envelope as it came, where a rejected batch is to be quarantined; else empty.
    package var envelope: [UInt8]

    package init(
        instance: InstanceID, source: NodeID, stream: StreamID, sequence: Sequence, floor: Sequence, batch: [UInt8],
        records: Int, envelope: [UInt8] = []
    ) {
        self.instance = instance
        self.source = source
        self.stream = stream
        self.sequence = sequence
        self.floor = floor
        self.batch = batch
        self.records = records
        self.envelope = envelope
    }

    /// What it takes of a memory's bound.
    package var bytes: Int { batch.count + envelope.count }

    /// The same number of the stream without its records: its commit raises the mark and has no other effect.
    /// - Returns: nil where the batch cannot be read.
    func emptied() -> SinkItem? {
        guard let topic = try? RecordBatch.Reader(batch).topic,
            let empty = try? RecordBatch.Builder(topic: topic).finish()
        else { return nil }
        var item = self
        item.records = 0
        item.batch = empty
        return item
    }
}
