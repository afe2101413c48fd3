import Envelope
import Testing

@testable import AgentCore
@testable import Journal

@Suite struct OutboxGateChainTests {
    private var gate = OutboxGate(machineBoot: Bytes16(low: 1, high: 1))
    private var batch = JournalBatch()

    private func submission(_ stream: OutboxStream, _ sequence: UInt64) -> Submission {
        Submission(
            stream: stream, sequence: Sequence(sequence), envelope: [UInt8](repeating: 1, count: Header.size + 10),
            lifetime: 3600, records: 1, checkpoint: [UInt8(sequence)], madeAt: Sample.now)
    }

    private mutating func submit(_ stream: OutboxStream, _ sequence: UInt64) -> UInt64 {
        gate.submit(submission(stream, sequence), &batch, at: Sample.now).token
    }

    private func stream(_ number: UInt64, _ writer: inout StreamWriter) -> OutboxStream {
        writer.begin(Sample.stream(number), with: KeyID(Bytes16(low: number, high: 0))).stream
    }

    private func writer(chain: UInt64) -> StreamWriter {
        StreamWriter(.init(job: "job \(chain)", destination: Sample.destination, lane: .live, chain: chain))
    }

    /// Appends in the batch, in order.
    private var appended: [UInt64] {
        batch.operations.compactMap { if case .append(_, let token, _, _, _, _) = $0 { token } else { nil } }
    }

    /// A new key may come while the journal refuses. The checkpoint of the new stream lies behind records of the old one.
    @Test mutating func anotherStreamOfTheJobDoesNotPassWhatIsHeld() {
        var writer = writer(chain: 1)
        let first = stream(1, &writer)
        let taken = submit(first, 1)
        gate.isOpen = true
        let refused = submit(first, 2)
        let second = stream(2, &writer)
        let other = submit(second, 1)
        #expect(appended == [])
        var others = self.writer(chain: 2)
        let independent = submit(stream(3, &others), 1)
        #expect(appended == [independent], "another job is not held up")
        let isHeld = gate.retryAll(&batch, at: Sample.now)
        #expect(!isHeld)
        #expect(appended == [independent, taken, refused, other])
    }

    @Test mutating func whatIsRefusedHoldsUpTheNextStreamToo() {
        gate.isOpen = true
        var writer = writer(chain: 1)
        let refused = submit(stream(1, &writer), 1)
        batch.removeAll()
        let wasPending = gate.refuse(refused)
        #expect(wasPending)
        let next = submit(stream(2, &writer), 1)
        #expect(appended == [])
        let isHeld = gate.retryAll(&batch, at: Sample.now)
        #expect(!isHeld)
        #expect(appended == [refused, next])
    }
}
