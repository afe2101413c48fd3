import Envelope

@testable import Agent
@testable import AgentCore

extension Target {
    static let deliveryOrder = Target(
        "delivery-order", "what an agent brings into order before a sink", longest: 512,
        seeds: {
            [
                ("in-order", [0, 1, 1, 0, 9, 0, 2, 1, 0, 9, 4, 200, 5, 0, 2]),
                ("gap", [0, 3, 1, 0, 9, 0, 2, 2, 0, 9, 4, 9, 5, 1, 3]),
                ("greatest", [1, 0, 4, 255, 5, 1, 0, 4, 255, 5]),
            ]
        },
        run: { input in
            var choices = Choices(input)
            var model = DeliveryModel()
            while !choices.isAtEnd { model.act(&choices) }
            model.finish()
        })
}

/// An order of deliveries beside what must be true of it.
private struct DeliveryModel {
    private var order = DeliveryOrder<Int>(memoryBytes: 1000)
    private let streams = (0..<3 as Range<UInt64>).map { StreamID(Bytes16(low: $0, high: 1)) }
    private var floors: [UInt64] = [0, 0, 0]
    private var handedOut: [UInt64] = [0, 0, 0]
    private var tokens: Set<Int> = []
    private var bytes: [Int: Int] = [:]
    private var nextToken = 0
    /// What was given out and is being applied.
    private var underWay: [(stream: StreamID, sequence: Envelope.Sequence)] = []

    init() { for stream in streams { order.add(stream, mark: .none) } }

    mutating func act(_ choices: inout Choices) {
        let kind = choices.byte()
        let stream = choices.number(below: streams.count)
        switch kind % 6 {
        case 0, 1, 2, 3:
            // Near the mark, or anything a peer may say.
            let near = (order.mark(of: streams[stream])?.number ?? 0) &+ UInt64(choices.byte() % 8)
            let sequence = kind & 0x80 == 0 && kind != 1 ? max(1, near) : max(1, choices.word())
            let floor = kind & 0x40 == 0 ? min(1, sequence) : sequence
            offer(stream, sequence, floor: floor, bytes: Int(choices.byte()))
        case 4: take(Int(choices.byte()) * 4)
        default: apply()
        }
        require(order.bytesWaiting == bytes.values.reduce(0, +), "bytes that wait are counted")
        require(order.bytesWaiting <= 1000 + 3 * 255, "memory is bounded")
    }

    private mutating func offer(_ stream: Int, _ sequence: UInt64, floor: UInt64, bytes size: Int) {
        let before = order.mark(of: streams[stream])?.number ?? 0
        nextToken += 1
        let verdict = order.offer(
            streams[stream], Sequence(sequence), floor: Sequence(floor), bytes: size, token: nextToken)
        let after = order.mark(of: streams[stream])?.number ?? 0
        floors[stream] = max(floors[stream], floor)
        require(after == before || (after > before && after < floors[stream]), "only a floor moves a mark here")
        require((verdict == .duplicate) == (sequence <= before), "a duplicate is one at or below the mark")
        if verdict == .waits {
            tokens.insert(nextToken)
            bytes[nextToken] = size
        }
    }

    private mutating func take(_ limit: Int) {
        for item in order.takeReady(bytes: limit) {
            guard let stream = streams.firstIndex(of: item.stream) else { return require(false, "a known stream") }
            let before = max(handedOut[stream], order.mark(of: item.stream)?.number ?? 0)
            require(item.sequence.number == before &+ 1, "what is given out rises without gap")
            handedOut[stream] = item.sequence.number
            underWay.append((item.stream, item.sequence))
            drop(item.token)
        }
    }

    /// The effect of what was given out is durable.
    private mutating func apply() {
        for item in underWay {
            order.applied(item.stream, through: item.sequence)
            require(order.mark(of: item.stream) ?? .none >= item.sequence, "the mark is at what was applied")
        }
        underWay = []
    }

    private mutating func drop(_ token: Int) {
        require(tokens.remove(token) != nil, "each is given out once")
        bytes[token] = nil
    }

    mutating func finish() {
        for _ in 0..<4 {
            apply()
            take(1 << 20)
        }
        for token in order.removeAll() { drop(token) }
        require(tokens.isEmpty && order.bytesWaiting == 0, "nothing is left behind")
    }
}
