import Envelope
import Glibc
import Node

/// Reads a file of carried envelopes from front to back, a record at a time.
struct CarriageFileReader: ~Copyable {
    enum Step {
        /// A record as it is in the file, head and payload.
        case record([UInt8])
        /// The content of a record is damaged; the next one can be read.
        case damaged
        /// Nothing more can be read.
        case broken
        /// No more records: ``Step/broken`` where the file's last record does not say so.
        case end
    }

    private let path: String
    private let descriptor: Int32
    private(set) var offset = 0

    private init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    /// - Throws: also for a file that does not begin as such a file does.
    static func open(_ path: String) throws(Failure) -> CarriageFileReader {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LocalFile.last("cannot read \(path)") }
        var file = CarriageFileReader(path, descriptor)
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        guard try file.read(CarriageRecord.magic.count) == CarriageRecord.magic else {
            throw Failure("\(path) is no file of relayctl journal export", hint: "or it is of a later version")
        }
        return file
    }

    deinit { close(descriptor) }

    mutating func next() throws(Failure) -> Step {
        var record = try read(CarriageHead.size)
        if record.isEmpty { return .end }
        guard let head = record.withUnsafeBytes({ CarriageHead($0) }) else { return .broken }
        let payload = try read(head.length)
        guard payload.count == head.length else { return .broken }
        guard payload.withUnsafeBytes({ head.record($0) != nil }) else { return .damaged }
        record += payload
        return .record(record)
    }

    /// Fewer only at the end of the file.
    private mutating func read(_ count: Int) throws(Failure) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = Glibc.read(descriptor, buffer.baseAddress! + filled, count - filled)
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                guard got > 0 else { return }
                filled += got
            }
        }
        guard !failed else { throw LocalFile.last("cannot read \(path)") }
        offset += bytes.count
        return bytes
    }
}
