import Agent
import Envelope

/// Delivers to files, each record once.
///
/// Invariant: what the committed marks say is on the disk, whole, and everything beyond it is cut off or put in
/// place before anything else is done. Error contract: after any error the store is dropped and read again from
/// the disk on the next call, so that a failed write or synchronization is never built upon.
public final class FilesSink: Sink {
    let settings: FilesSinkSettings
    private let names: any DirectoryNames
    private let step: (SinkStep) throws(ConnectorError) -> Void
    private var opened: FilesStore?

    public convenience init(_ settings: FilesSinkSettings) {
        self.init(settings) { (_) throws(ConnectorError) in }
    }

    init(
        _ settings: FilesSinkSettings, names: any DirectoryNames = Directory(),
        step: @escaping (SinkStep) throws(ConnectorError) -> Void
    ) {
        self.settings = settings
        self.names = names
        self.step = step
    }

    public func mark(of stream: StreamID) throws(ConnectorError) -> Sequence {
        Sequence(try store().marks.streams[stream]?.sequence ?? 0)
    }

    public func apply(_ deliveries: [Delivery]) throws(ConnectorError) {
        do throws(ConnectorError) {
            let store = try store()
            let fresh = deliveries.filter { $0.sequence.number > store.marks.streams[$0.stream]?.sequence ?? 0 }
            guard !fresh.isEmpty else { return }
            switch settings.mode {
            case .append: try append(fresh, to: store)
            case .whole: try assemble(fresh, in: store)
            }
        } catch {
            opened = nil
            throw error
        }
    }

    private func store() throws(ConnectorError) -> FilesStore {
        if let opened { return opened }
        let store = try FilesStore(settings.directory, names: names, step: step)
        opened = store
        return store
    }
}

/// A delivery's records with what the record headers of the batch have said so far.
struct DeliveredRecords {
    private var reader: RecordBatch.Reader
    let topic: String
    let source: String
    private(set) var path: String?
    private(set) var csvHeader: [UInt8]?
    private(set) var csvHeaderHash: UInt64?
    private(set) var csvHeaderEnd: [UInt8] = [10]
    /// Headers of the record that was read last.
    private(set) var headers: [RecordHeader] = []

    /// - Throws: ``ConnectorError`` of the rejected kind where the bytes are no record batch.
    init(_ delivery: Delivery) throws(ConnectorError) {
        do throws(EnvelopeError) {
            reader = try RecordBatch.Reader(delivery.batch)
        } catch {
            throw ConnectorError(.rejected, "a delivery is not a record batch: \(error)")
        }
        topic = reader.topic
        source = delivery.source.description
    }

    mutating func next() throws(ConnectorError) -> RecordBatch.Record? {
        do throws(EnvelopeError) {
            guard let record = try reader.next() else { return nil }
            headers = record.headerCount == 0 ? [] : record.headers
            for header in headers { note(header) }
            return record
        } catch {
            throw ConnectorError(.rejected, "a delivery holds a damaged record: \(error)")
        }
    }

    func value(of name: String) -> [UInt8]? { headers.first { $0.name == name }?.value }

    func text(of name: String) -> String? {
        value(of: name).flatMap { String(validating: $0, as: UTF8.self) }
    }

    private mutating func note(_ header: RecordHeader) {
        switch header.name {
        case FileHeaderName.path:
            path = header.value.flatMap { String(validating: $0, as: UTF8.self) }
            csvHeader = nil
            csvHeaderHash = nil
            csvHeaderEnd = [10]
        case FileHeaderName.csvHeader:
            csvHeader = header.value
            // 0 stands for "none yet" in the marks.
            csvHeaderHash = header.value.map { max(1, Fingerprint.hash($0)) }
        case FileHeaderName.csvHeaderEnd: csvHeaderEnd = header.value ?? []
        default: break
        }
    }
}
