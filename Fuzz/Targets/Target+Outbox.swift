import Crypto
import Envelope

@testable import Agent
@testable import AgentCore

extension Target {
    static let outbox = Target(
        "outbox", "what an agent has made and has no receipt for", longest: 512,
        seeds: {
            [
                ("plain", [0, 0, 1, 0, 0, 1, 2, 0, 2, 1, 3, 0, 2, 6, 200, 7, 1]),
                ("resent", [0, 0, 1, 0, 3, 1, 2, 0, 6, 255, 6, 255, 3, 3, 9]),
                ("overtaken", [8, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 6, 60, 3, 0, 1, 8, 0, 0, 0, 2, 0, 8, 3]),
                ("expired", [0, 0, 1, 4, 0, 6, 255, 6, 255, 5, 0]),
            ]
        },
        run: { input in
            var choices = Choices(input)
            var model = OutboxModel()
            while !choices.isAtEnd { model.act(&choices) }
            model.finish()
        })
}

/// An outbox beside what must be true of it.
private struct OutboxModel {
    private var outbox = Outbox(resendAfter: .seconds(5))
    private var now = Instant.zero
    private var nextStored: UInt64 = 1
    private var sequences: [Int: UInt64] = [:]
    /// Items without receipt, by their journal number, and what the forwarder holds of them.
    private var items: [UInt64: (stream: Int, sequence: UInt64)] = [:]
    private var underWay: Set<UInt64> = []
    /// Journal records that are there.
    private var durable: Set<UInt64> = []
    private var saving: [Int] = []
    private var checkpoints: [String: [UInt8]] = [:]

    mutating func act(_ choices: inout Choices) {
        switch choices.byte() % 10 {
        case 0, 1: add(&choices)
        case 2:
            if let stored = pick(underWay, &choices) {
                underWay.remove(stored)
                outbox.departed(stored: stored, at: now)
            }
        case 3:
            guard !outbox.streams.isEmpty else { return }
            let stream = choices.number(below: outbox.streams.count)
            receipt(stream, through: UInt64(choices.byte()) % ((sequences[stream] ?? 0) + 2))
        case 4:
            if let stored = pick(underWay, &choices) {
                underWay.remove(stored)
                outbox.expiredUnderWay(stored: stored, at: now)
            }
        case 5:
            guard let job = saving.popLast() else { return }
            if choices.byte() & 1 == 0 { return outbox.checkpointNotSaved(job: job, at: now) }
            durable.insert(nextStored)
            outbox.checkpointSaved(job: job, as: nextStored)
            nextStored += 1
        case 8:
            let jobs = choices.byte()
            let names = (0..<2).filter { jobs & 1 << $0 != 0 }.map { "job-\($0)" }
            outbox.set(Overtaking(jobs: Set(names), after: .seconds(2)), at: now)
        case 9: outbox.set(readAhead: ["job-0": Int(choices.byte()), "job-1": Int(choices.byte())])
        default:
            now = now + .milliseconds(Int64(choices.byte()) * 100)
            outbox.timeReached(now)
        }
        takeEffects()
    }

    private func pick(_ numbers: Set<UInt64>, _ choices: inout Choices) -> UInt64? {
        let sorted = numbers.sorted()
        return sorted.isEmpty ? nil : sorted[choices.number(below: sorted.count)]
    }

    private mutating func add(_ choices: inout Choices) {
        let (job, run) = (choices.number(below: 2), choices.number(below: 3))
        let index = outbox.stream(
            StreamID(Bytes16(low: UInt64(job), high: UInt64(run))), job: "job-\(job)",
            destination: NodeID(of: Sample.here), lane: .live)
        let sequence = (sequences[index] ?? 0) + 1
        sequences[index] = sequence
        let checkpoint: [UInt8]? = choices.byte() & 1 == 0 ? nil : [UInt8(truncatingIfNeeded: nextStored)]
        if let checkpoint { checkpoints["job-\(job)"] = checkpoint }
        let isSent = outbox.added(
            index, Sequence(sequence), stored: nextStored, length: 10, lifetime: 30, age: .zero, checkpoint: checkpoint,
            at: now)
        items[nextStored] = (index, sequence)
        durable.insert(nextStored)
        if isSent { underWay.insert(nextStored) }
        nextStored += 1
    }

    private mutating func receipt(_ stream: Int, through mark: UInt64) {
        outbox.receipt(stream: outbox.streams[stream].id, through: Sequence(mark), at: now)
        items = items.filter { $0.value.stream != stream || $0.value.sequence > mark }
    }

    private mutating func takeEffects() {
        let effects = outbox.takeEffects()
        for case .expired(let stream, let sequence, _) in effects {
            items = items.filter {
                outbox.streams[$0.value.stream].id != stream || $0.value.sequence != sequence.number
            }
        }
        for effect in effects {
            switch effect {
            case .send(let stored, _, _, _, _, _, _, let age):
                require(items[stored] != nil && durable.contains(stored), "only what is there is sent")
                require(age >= .zero, "an age is not negative")
                underWay.insert(stored)
            case .forget(let stored):
                require(durable.remove(stored) != nil, "a record is forgotten once")
                require(items[stored] == nil, "a record without receipt is not forgotten")
            case .saveCheckpoint(let job, let name, _, let checkpoint):
                require(checkpoint == checkpoints[name], "the newest checkpoint is saved")
                saving.append(job)
            case .expired, .receipted, .fellBehind, .ahead, .ended: break
            }
        }
        require(outbox.itemCount == items.count, "items are counted")
        for (name, checkpoint) in checkpoints {
            require(outbox.checkpoint(of: name) == checkpoint, "the newest checkpoint is known")
            require(durable.contains(outbox.checkpointHolder(of: name)), "the newest checkpoint is durable")
        }
    }

    mutating func finish() {
        for stream in outbox.streams.indices {
            receipt(stream, through: sequences[stream] ?? 0)
            takeEffects()
        }
        for job in ["job-0", "job-1"] { require(outbox.isSettled(job), "with all receipts nothing is left") }
        require(outbox.jobs.allSatisfy { $0.unsent == 0 && !$0.isAhead }, "with all receipts nothing waits for its way")
        require(durable.count <= 2 + saving.count, "with all receipts only checkpoints are kept")
    }
}
