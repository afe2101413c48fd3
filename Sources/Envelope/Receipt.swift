/// The destination's word, back to the source, that the effects of streams are durable up to a number.
///
/// Travels as the body of an envelope of kind `receipt`: readable by relays, signed with the destination's key.
/// Cumulative, so a lost or late receipt does no harm.
///
/// Layout, little-endian: entry count u16; per entry stream (16) and mark u64; certificate length u16 and the
/// certificate in DER; signature (64) over everything before it, the source's and the destination's id first.
public struct Receipt: Equatable, Sendable {
    public struct Entry: Equatable, Sendable {
        public var stream: StreamID
        /// Everything up to here has had its effect, or never will because the source gave it up.
        public var mark: Sequence

        public init(stream: StreamID, mark: Sequence) {
            self.stream = stream
            self.mark = mark
        }
    }

    public static let signatureBytes = 64

    public var entries: [Entry]
    public var certificate: [UInt8]
    public var signature: [UInt8]

    /// - Precondition: at most ``Limits/receiptEntries`` entries and ``Limits/certificateBytes`` of certificate.
    public init(entries: [Entry], certificate: [UInt8], signature: [UInt8]) {
        precondition(entries.count <= Limits.receiptEntries && certificate.count <= Limits.certificateBytes)
        self.entries = entries
        self.certificate = certificate
        self.signature = signature
    }

    /// What the signature covers: who says it, to whom, and what.
    public static func signedBytes(
        from destination: NodeID, to source: NodeID, entries: [Entry], certificate: [UInt8]
    ) -> [UInt8] {
        destination.value.bytes + source.value.bytes + prefix(entries, certificate)
    }

    /// The envelope's body.
    public var encoded: [UInt8] { Self.prefix(entries, certificate) + signature }

    /// Reads an envelope's body.
    /// - Throws: ``EnvelopeError/malformedReceipt`` for anything that is not exactly one receipt.
    public init(_ body: UnsafeRawBufferPointer) throws(EnvelopeError) {
        var reader = ByteReader(body)
        guard let count = reader.integer(UInt16.self), count <= Limits.receiptEntries else { throw .malformedReceipt }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard let stream = reader.bytes16(), let mark = reader.integer(UInt64.self) else { throw .malformedReceipt }
            entries.append(Entry(stream: StreamID(stream), mark: Sequence(mark)))
        }
        guard let length = reader.integer(UInt16.self), length <= Limits.certificateBytes,
            let certificate = reader.run(Int(length)), let signature = reader.run(Self.signatureBytes),
            reader.remaining == 0
        else { throw .malformedReceipt }
        self.init(entries: entries, certificate: Array(certificate), signature: Array(signature))
    }

    private static func prefix(_ entries: [Entry], _ certificate: [UInt8]) -> [UInt8] {
        var bytes = ByteQueue()
        bytes.append(UInt16(entries.count))
        for entry in entries {
            bytes.append(entry.stream.value)
            bytes.append(entry.mark.number)
        }
        bytes.append(UInt16(certificate.count))
        bytes.append(certificate)
        return Array(bytes.readable)
    }
}
