import Envelope

/// The name of a batch's file: milliseconds of its arrival for the order, stream and sequence for its identity.
struct MailboxName: CustomStringConvertible {
    var stream: StreamID
    var sequence: Sequence
    let description: String

    init(_ delivery: Delivery) {
        stream = delivery.stream
        sequence = delivery.sequence
        let number = String(delivery.sequence.number)
        let padded = String(repeating: "0", count: max(0, 20 - number.count)) + number
        description = "\(delivery.stream)-\(padded)"
    }

    init?(_ text: String) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let value = Bytes16(hexadecimal: String(parts[0])), let number = UInt64(parts[1])
        else { return nil }
        stream = StreamID(value)
        sequence = Sequence(number)
        description = text
    }
}
