import Envelope

/// Connections come about.
extension World {
    func layLinks(_ random: SeededRandom) {
        ways = [[Int]](repeating: [], count: hosts.count)
        for link in topology.links {
            guard let from = host(link.dialler)?.index, let to = host(link.listener)?.index, from != to else {
                preconditionFailure("a link of \(link.dialler) and \(link.listener), which are not two nodes")
            }
            var draws = random.fork("\(link.dialler) \(link.listener)")
            for (from, to, isDialled) in [(from, to, true), (to, from, false)] {
                ways[from].append(directions.count)
                directions.append(
                    Direction(
                        from: from, to: to, isDialled: isDialled,
                        delay: draws.duration(in: dials.delay).wholeNanoseconds,
                        bytesPerSecond: Int64(draws.number(in: dials.bandwidth))))
            }
        }
    }

    func isBlocked(_ direction: Int) -> Bool { directions[direction].blockedUntil > time }

    /// When what leaves now arrives.
    func arrival(_ direction: Int) -> Int64 { time + directions[direction].delay + jitter() }

    func jitter() -> Int64 {
        jitterNanoseconds == 0 ? 0 : Int64(networkRandom.below(jitterNanoseconds))
    }

    func dial(_ host: Host, _ peer: NodeName) {
        let timeout = time + dials.dialTimeout.wholeNanoseconds
        guard let target = self.host(peer)?.index else {
            return fail("dials \(peer), whom nobody knows", node: host.index)
        }
        let process = host.process.number
        guard let direction = ways[host.index].first(where: { directions[$0].to == target && directions[$0].isDialled })
        else {
            // A firewall drops it.
            return dialFails(host.index, process, target, .timedOut, at: timeout)
        }
        if phase == .safety, chance(.dialRefused) {
            counts[.dialRefused] += 1
            return dialFails(
                host.index, process, target, .refused, at: arrival(direction) + directions[direction].delay)
        }
        if phase == .safety, chance(.dialTimedOut) {
            counts[.dialTimedOut] += 1
            return dialFails(host.index, process, target, .timedOut, at: timeout)
        }
        if isBlocked(direction) { return dialFails(host.index, process, target, .timedOut, at: timeout) }
        queue.push(
            Event(.dialArrives, at: arrival(direction), node: target, value: UInt64(direction), stamp: process))
    }

    private func dialFails(_ host: Int, _ process: UInt32, _ peer: Int, _ why: DialFailure, at due: Int64) {
        let value = UInt64(peer) << 1 | (why == .refused ? 1 : 0)
        queue.push(Event(.dialFailed, at: due, node: host, value: value, stamp: process))
    }

    func dialFails(_ event: Event, _ host: Host) {
        guard event.stamp == host.process.number else { return }
        let peer = Int(event.value >> 1)
        let failure: DialFailure = event.value & 1 == 1 ? .refused : .timedOut
        mark(failure == .refused ? .refused : .timedOut, node: host.index, peer: peer)
        enter(host) { $0.dialFailed(hosts[peer].name, failure) }
    }

    /// The system of the called machine answers, whatever its process does.
    func dialArrives(_ event: Event) {
        let direction = Int(event.value)
        let back = direction ^ 1
        let (from, target) = (directions[direction].from, hosts[directions[direction].to])
        if isBlocked(direction) || isBlocked(back) || !target.isUp {
            let due = time + dials.dialTimeout.wholeNanoseconds
            return dialFails(from, event.stamp, target.index, .timedOut, at: due)
        }
        guard target.isRunning else {
            return dialFails(from, event.stamp, target.index, .refused, at: arrival(back))
        }
        guard hosts[from].process.number == event.stamp, hosts[from].isRunning else { return }
        let first = openSlot(from: from, to: target, direction)
        queue.push(Event(.dialCompletes, at: arrival(back), node: from, value: UInt64(first), stamp: stamp(first)))
    }

    private func openSlot(from: Int, to target: Host, _ direction: Int) -> Int {
        connections += 1
        let slot = freeSlots.popLast() ?? ends.count / 2
        if slot == ends.count / 2 {
            ends.append(End())
            ends.append(End())
            placeOfSlot.append(0)
        }
        placeOfSlot[slot] = liveSlots.count
        liveSlots.append(slot)
        let caller = hosts[from]
        ends[2 * slot].open(
            number: connections, host: from, process: caller.process.number, direction: direction, at: time)
        ends[2 * slot + 1].open(
            number: connections, host: target.index, process: target.process.number, direction: direction ^ 1, at: time)
        caller.ends.append(2 * slot)
        target.ends.append(2 * slot + 1)
        return 2 * slot
    }

    func stamp(_ end: Int) -> UInt32 { UInt32(truncatingIfNeeded: ends[end].number) }

    func id(_ end: Int) -> ConnectionID { ConnectionID(number: ends[end].number, slot: Int32(end / 2)) }

    func dialCompletes(_ event: Event, _ host: Host) {
        let index = Int(event.value)
        let end = ends[index]
        guard event.stamp == stamp(index), end.state == .opening else { return }
        let due = arrival(end.direction)
        end.state = .open
        end.lastArrival = due
        let other = ends[index ^ 1]
        queue.push(Event(.accepted, at: due, node: other.host, value: UInt64(index ^ 1), stamp: event.stamp))
        mark(.connected, node: host.index, peer: other.host)
        enter(host) { $0.connected(id(index), to: hosts[other.host].name, dialled: true) }
    }

    func accept(_ event: Event, _ host: Host) {
        let index = Int(event.value)
        let (end, other) = (ends[index], ends[index ^ 1])
        guard event.stamp == stamp(index), end.state == .opening else { return }
        if isBlocked(other.direction) {
            var later = event
            later.time = directions[other.direction].blockedUntil
            return queue.push(later)
        }
        end.state = .open
        mark(.accepted, node: host.index, peer: other.host)
        enter(host) { $0.connected(id(index), to: hosts[other.host].name, dialled: false) }
        guard event.stamp == stamp(index), other.isStalled else { return }
        other.isStalled = false
        queueDelivery(index ^ 1)
    }
}
