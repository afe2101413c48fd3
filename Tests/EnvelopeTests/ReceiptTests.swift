import Testing

@testable import Envelope

@Suite struct ReceiptTests {
    private func receipt(_ count: Int, certificate: Int = 40) -> Receipt {
        Receipt(
            entries: (0..<count).map {
                .init(stream: StreamID(Bytes16(low: UInt64($0), high: 7)), mark: Sequence(UInt64($0) + 5))
            },
            certificate: [UInt8](repeating: 3, count: certificate),
            signature: [UInt8](0..<UInt8(Receipt.signatureBytes)))
    }

    private func read(_ bytes: [UInt8]) throws -> Receipt { try bytes.withUnsafeBytes { try Receipt($0) } }

    @Test(arguments: [0, 1, 3, Limits.receiptEntries])
    func isReadAsItWasWritten(count: Int) throws {
        #expect(try read(receipt(count).encoded) == receipt(count))
    }

    @Test func everyCutAndEveryByteMoreIsRefused() {
        let bytes = receipt(2).encoded
        for count in bytes.indices {
            #expect(throws: EnvelopeError.malformedReceipt) { try read(Array(bytes[..<count])) }
        }
        #expect(throws: EnvelopeError.malformedReceipt) { try read(bytes + [0]) }
    }

    @Test func whatIsBeyondALimitIsRefused() {
        let entry = [UInt8](repeating: 1, count: 24)
        var many = [UInt8(truncatingIfNeeded: Limits.receiptEntries + 1)]
        many.append(UInt8(truncatingIfNeeded: (Limits.receiptEntries + 1) >> 8))
        many += (0...Limits.receiptEntries).flatMap { _ in entry } + [0, 0] + [UInt8](repeating: 0, count: 64)
        #expect(throws: EnvelopeError.malformedReceipt) { try read(many) }
        let length = Limits.certificateBytes + 1
        let long = [0, 0, UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
        #expect(throws: EnvelopeError.malformedReceipt) {
            try read(long + [UInt8](repeating: 0, count: length + Receipt.signatureBytes))
        }
    }

    /// A receipt of one pair says nothing to another: both ends are under the signature, and in their order.
    @Test func signsWhoSaysItToWhom() {
        let (one, two) = (NodeID(Bytes16(low: 1, high: 0)), NodeID(Bytes16(low: 2, high: 0)))
        let said = receipt(2)
        func bytes(_ from: NodeID, _ to: NodeID) -> [UInt8] {
            Receipt.signedBytes(from: from, to: to, entries: said.entries, certificate: said.certificate)
        }
        #expect(bytes(one, two) != bytes(two, one))
        #expect(bytes(one, two).suffix(bytes(one, two).count - 32).elementsEqual(said.encoded.dropLast(64)))
    }
}
