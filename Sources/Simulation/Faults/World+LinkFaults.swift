import Envelope

extension World {
    /// A connection that both ends believe in.
    func loseConnection(_ kind: FaultKind, _ notice: Notice, _ random: inout SeededRandom) {
        guard !liveSlots.isEmpty else { return }
        let slot = liveSlots[random.below(liveSlots.count)]
        guard ends[2 * slot].state == .open, ends[2 * slot + 1].state == .open, !ends[2 * slot].isCut else { return }
        cut(slot: slot, notice)
        counts[kind] += 1
    }

    func disturb(_ kind: FaultKind, _ random: inout SeededRandom) {
        guard !directions.isEmpty else { return }
        let direction = random.below(directions.count)
        counts[kind] += 1
        switch kind {
        case .oneWayPartition: block(direction: direction, for: random.duration(in: dials.partitionTime))
        case .partition:
            let span = random.duration(in: dials.partitionTime)
            block(direction: direction, for: span)
            block(direction: direction ^ 1, for: span)
        case .isolation:
            let span = random.duration(in: dials.partitionTime)
            for way in ways[random.below(hosts.count)] {
                block(direction: way, for: span)
                block(direction: way ^ 1, for: span)
            }
        case .slowLink:
            let span = random.duration(in: dials.slowLinkTime).wholeNanoseconds
            directions[direction].slowUntil = max(directions[direction].slowUntil, time + span)
        case .swizzle: swizzle(&random)
        default: block(direction: direction, for: random.duration(in: dials.clogTime))
        }
    }

    /// A random part of all directions clogs one by one; each opens at a time of its own, so in another order.
    private func swizzle(_ random: inout SeededRandom) {
        let share = random.fraction(in: 0.1...0.9)
        let span = dials.clogTime.upperBound.wholeNanoseconds
        for direction in directions.indices where random.chance(share) {
            let start = time + Int64(random.below(Int(span) + 1))
            let milliseconds = random.duration(in: dials.clogTime).wholeMilliseconds + 1
            queue.push(
                Event(.clogStarts, at: start, value: UInt64(direction), stamp: UInt32(clamping: milliseconds)))
        }
    }

    func clogStarts(_ event: Event) {
        guard phase == .safety else { return }
        block(direction: Int(event.value), for: .milliseconds(Int64(event.stamp)))
    }
}
