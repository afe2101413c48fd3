import Envelope
import Testing

@testable import AgentCore

@Suite struct ReceiptBookTests {
    private let now = Sample.now
    private let source = NodeID(Bytes16(low: 1, high: 1))
    private let other = NodeID(Bytes16(low: 2, high: 2))

    @Test func marksAreGatheredAndTheHighestIsSaid() {
        var book = ReceiptBook()
        #expect(book.nextDeadline == .never)
        book.note(source: source, stream: Sample.stream(1), mark: Sequence(2), at: now)
        book.note(source: source, stream: Sample.stream(1), mark: Sequence(5), at: now)
        book.note(source: source, stream: Sample.stream(1), mark: Sequence(4), at: now)
        book.note(source: other, stream: Sample.stream(2), mark: Sequence(1), at: now)
        #expect(book.nextDeadline == now + ReceiptBook.delay)
        #expect(book.takeDue(at: now).isEmpty)
        let receipts = book.takeDue(at: now + ReceiptBook.delay)
        #expect(receipts.map(\.source) == [source, other])
        #expect(receipts[0].entries == [Receipt.Entry(stream: Sample.stream(1), mark: Sequence(5))])
        #expect(book.nextDeadline == .never)
        #expect(book.takeDue(at: now + .seconds(100)).isEmpty)
    }

    @Test func aLongListIsSplit() {
        var book = ReceiptBook()
        let count = Limits.receiptEntries * 2 + 1
        for number in 0..<count {
            book.note(source: source, stream: Sample.stream(UInt64(number)), mark: Sequence(1), at: now)
        }
        let receipts = book.takeDue(at: .never)
        #expect(receipts.map(\.entries.count) == [Limits.receiptEntries, Limits.receiptEntries, 1])
    }
}
