import Agent
import Envelope
import Glibc

extension FilesSink {
    /// What is to be added to one output.
    private struct Addition {
        var output: FilesMarks.Output
        var bytes: [UInt8] = []
    }

    /// Writes behind the committed length of each output, makes that durable, then commits the new lengths together
    /// with the new marks.
    func append(_ deliveries: [Delivery], to store: FilesStore) throws(ConnectorError) {
        var additions: [String: Addition] = [:]
        for delivery in deliveries { try gather(delivery, from: store.marks, into: &additions) }
        try adopt(additions.keys.sorted(), in: store, &additions)
        var marks = store.marks
        for name in additions.keys.sorted() {
            guard var addition = additions[name] else { continue }
            let path = store.path(of: name)
            try store.step(.willWrite)
            let file = try OpenFile(path, flags: O_WRONLY | O_NOFOLLOW)
            let size = try file.status().size
            guard size == addition.output.length else { throw .shortened(path, is: size, was: addition.output.length) }
            try file.write(addition.bytes, at: addition.output.length)
            try store.step(.willSynchronize)
            try file.synchronize()
            addition.output.length += UInt64(addition.bytes.count)
            marks.outputs[name] = addition.output
        }
        for delivery in deliveries { marks.note(delivery.sequence, of: delivery.stream) }
        try store.commit(marks)
    }

    /// Outputs that the marks do not know, or that were taken away, are entered with the length they have before
    /// anything is written, so that a crash cuts back to it and no further.
    private func adopt(
        _ names: [String], in store: FilesStore, _ additions: inout [String: Addition]
    ) throws(ConnectorError) {
        var marks = store.marks
        for name in names {
            let path = store.path(of: name)
            let status = try FileStatus.at(path)
            if status != nil, marks.outputs[name] != nil { continue }
            if let status, status.kind != .regular {
                throw ConnectorError(.configuration, "'\(path)' is not a file; take it away or change the sink's name")
            }
            let parent = Directory.parent(of: path) ?? "/"
            try store.step(.willCreate)
            try store.names.create(parent)
            try OpenFile(path, flags: O_WRONLY | O_CREAT | O_NOFOLLOW).synchronize()
            try store.names.synchronize(parent)
            let length = status?.size ?? 0
            marks.outputs[name] = FilesMarks.Output(length: length)
            additions[name]?.output.length = length
        }
        guard marks.outputs.count <= FilesMarks.outputs else {
            throw ConnectorError(
                .configuration,
                "'\(store.directory)' would have more than \(FilesMarks.outputs) files; use a coarser name")
        }
        if marks != store.marks { try store.commit(marks) }
    }

    private func gather(
        _ delivery: Delivery, from marks: FilesMarks, into additions: inout [String: Addition]
    ) throws(ConnectorError) {
        var records = try DeliveredRecords(delivery)
        var name = ""
        while let record = try records.next() {
            if name.isEmpty || !records.headers.isEmpty {
                let output = try settings.name.name(topic: records.topic, source: records.source, path: records.path)
                name = output.text
            }
            guard let value = record.valueRange else { continue }
            if additions[name] == nil { additions[name] = Addition(output: try known(name, in: marks)) }
            // Changed in place: taking it out and putting it back would copy all its bytes for each record.
            try write(delivery.batch[value], of: records, to: &additions[name, default: Addition(output: .init())])
        }
    }

    /// A file that was taken away begins anew, with a header row of its own.
    private func known(_ name: String, in marks: FilesMarks) throws(ConnectorError) -> FilesMarks.Output {
        guard let output = marks.outputs[name],
            try FileStatus.at(settings.directory + "/" + name) != nil
        else { return FilesMarks.Output() }
        return output
    }

    private func write(
        _ value: ArraySlice<UInt8>, of records: DeliveredRecords, to addition: inout Addition
    ) throws(ConnectorError) {
        let hasHeaders = !records.headers.isEmpty
        if addition.output.isOpenEnded {
            let goesOn = hasHeaders && records.value(of: FileHeaderName.continues) != nil
            if !goesOn, settings.format != .raw { addition.bytes.append(10) }
            addition.output.isOpenEnded = false
        }
        if settings.format == .csv { try writeHeader(of: records, to: &addition) }
        addition.bytes.append(contentsOf: value)
        guard settings.format != .raw else { return }
        let end = hasHeaders ? records.value(of: FileHeaderName.lineEnd) : nil
        guard let end else { return addition.bytes.append(10) }
        addition.bytes.append(contentsOf: end)
        addition.output.isOpenEnded = end.isEmpty
    }

    /// The header row, once, and again where rows under another header follow.
    private func writeHeader(of records: DeliveredRecords, to addition: inout Addition) throws(ConnectorError) {
        guard let header = records.csvHeader, let hash = records.csvHeaderHash else {
            throw ConnectorError(
                .rejected, "a record has no header row; use format 'lines' for what was not collected as csv")
        }
        guard hash != addition.output.headerHash else { return }
        addition.output.headerHash = hash
        addition.bytes.append(contentsOf: header)
        addition.bytes.append(contentsOf: records.csvHeaderEnd)
    }
}
