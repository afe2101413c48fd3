import Envelope

/// Judges a destination's signed word.
public protocol ReceiptVerifier: Sendable {
    /// Whether `destination` really said this to `source`.
    func verify(_ receipt: Receipt, from destination: NodeID, to source: NodeID) -> Bool
}

// Receipts that pass by: what a destination says it has need not be sent to it again. They matter where copies wait,
// such as after a source has sent again or data has gone another way.
extension Forwarder {
    /// A receipt passes. Judging one costs a signature, so only those are judged that speak of what waits first.
    mutating func noteReceipt(_ header: Header, _ envelope: UnsafeRawBufferPointer) {
        guard let destination = destinationIndex[header.source], destinations[Int(destination)].waiting > 0,
            let receipt = try? Receipt(UnsafeRawBufferPointer(rebasing: envelope[Header.size...]))
        else { return }
        let speaks = receipt.entries.contains { entry in
            guard let stream = book.streams.find(entry.stream, of: header.destination) else { return false }
            return (0..<Destination.queuesEach).contains { row in
                let head = queues[Int(destination) * Destination.queuesEach + row].head
                guard head >= 0 else { return false }
                return instances[UInt32(head)].stream == stream && instances[UInt32(head)].sequence <= entry.mark
            }
        }
        if speaks { effects.append(.receipt(envelope: Array(envelope))) }
    }

    /// A genuine receipt: what it speaks of and waits here is let go.
    /// - Parameter header: the receipt's own.
    public mutating func receipted(_ header: Header, _ receipt: Receipt, at now: Instant) {
        for entry in receipt.entries {
            guard let stream = book.streams.find(entry.stream, of: header.destination) else { continue }
            book.streams[stream].noteReceipt(through: entry.mark, by: header.source, at: now)
        }
        hasReceipts = true
        guard let destination = destinationIndex[header.source] else { return }
        for row in 0..<Destination.queuesEach {
            let number = Int(destination) * Destination.queuesEach + row
            while queues[number].head >= 0, isReceipted(UInt32(queues[number].head)) {
                releaseReceipted(UInt32(queues[number].head))
            }
            list(Int32(number))
        }
    }

    func isReceipted(_ index: UInt32) -> Bool {
        guard instances[index].sequence <= book.streams[instances[index].stream].receipted else { return false }
        let stream = book.streams[instances[index].stream]
        return instances[index].arrivedAt <= stream.receiptedAt
            && destinations[Int(instances[index].queue) / Destination.queuesEach].node == stream.receiptedBy
    }

    /// - Precondition: it stands in a queue, which the caller lists again.
    mutating func releaseReceipted(_ index: UInt32) {
        closeAccount(index, .delivered)
        counters.receipted += 1
        settleCreditor(index)
        forgetStored(index)
        if instances[index].isOrigin { effects.append(.departed(owner: instances[index].owner)) }
        unlink(index)
        remove(index)
    }

    /// Lets go what receipts speak of and stands behind others.
    mutating func searchReceipted() {
        guard hasReceipts else { return }
        hasReceipts = false
        for index in instances.indices where instances[index].state == .queued && isReceipted(index) {
            let number = instances[index].queue
            releaseReceipted(index)
            list(number)
        }
    }
}
