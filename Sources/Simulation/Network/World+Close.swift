import Envelope

/// Connections end.
extension World {
    /// An event's value has this bit where the end notices by itself and no bytes have to get through for it.
    private static var local: UInt64 { 1 << 40 }

    func close(_ host: Host, _ id: ConnectionID, _ flushing: [UInt8]) {
        guard let index = end(of: host, id) else { return }
        let end = ends[index]
        mark(.closed, node: host.index, peer: ends[index ^ 1].host)
        if !flushing.isEmpty, !end.isCut, ends[index ^ 1].state != .gone {
            end.lastArrival = max(end.lastArrival, arrival(end.direction))
            flushing.withUnsafeBytes { end.append($0, at: end.lastArrival) }
            queueDelivery(index)
        }
        leave(index, silently: false)
    }

    /// An end is given up. The other one learns of it after the last byte, or never where it happens silently.
    private func leave(_ index: Int, silently: Bool) {
        let (end, other) = (ends[index], ends[index ^ 1])
        end.state = .gone
        end.wantsRoom = false
        hosts[end.host].ends.removeAll { $0 == index }
        if other.state == .gone { return release(index / 2) }
        if silently {
            end.forgetBytes()
            if other.unreadCount > 0 { startReset(index ^ 1) }
        } else if !end.isCut {
            end.closesAfter = true
            if end.unreadCount == 0 { tellClose(index ^ 1, at: max(end.lastArrival, arrival(end.direction))) }
        }
    }

    /// The process is gone: its system says so to all peers, unless it is gone as well.
    func closeAll(_ host: Host, losesPower: Bool) {
        for index in host.ends {
            // Bytes that the process has written may or may not have left.
            if !losesPower, networkRandom.chance(0.5), ends[index].state == .open { ends[index].forgetBytes() }
            leave(index, silently: losesPower)
        }
    }

    private func release(_ slot: Int) {
        for end in [ends[2 * slot], ends[2 * slot + 1]] {
            end.state = .unused
            end.forgetBytes()
            end.isStalled = false
        }
        freeSlots.append(slot)
        let place = placeOfSlot[slot]
        let last = liveSlots[liveSlots.count - 1]
        liveSlots[place] = last
        placeOfSlot[last] = place
        liveSlots.removeLast()
    }

    // MARK: Notices

    /// The end at `index` learns that the other one has closed, once that gets through.
    func tellClose(_ index: Int, at due: Int64) {
        queue.push(Event(.closed, at: due, node: ends[index].host, value: UInt64(index), stamp: stamp(index)))
    }

    /// The end at `index` finds out by itself.
    func noticeClose(_ index: Int, after span: Duration) {
        queue.push(
            Event(
                .closed, at: time + span.wholeNanoseconds, node: ends[index].host, value: UInt64(index) | Self.local,
                stamp: stamp(index)))
    }

    func closes(_ event: Event, _ host: Host) {
        let index = Int(event.value & (Self.local - 1))
        let (end, other) = (ends[index], ends[index ^ 1])
        guard event.stamp == stamp(index), end.state == .open || end.state == .opening else { return }
        if event.value & Self.local == 0, isBlocked(other.direction) {
            var later = event
            later.time = directions[other.direction].blockedUntil
            return queue.push(later)
        }
        let wasOpen = end.state == .open
        let id = id(index)
        leave(index, silently: end.isCut || other.state != .gone)
        mark(.lost, node: host.index, peer: other.host)
        if wasOpen {
            enter(host) { $0.closed(id) }
        } else if index & 1 == 0 {
            enter(host) { $0.dialFailed(hosts[other.host].name, .refused) }
        }
    }

    /// Somebody wrote to a connection of which the other machine knows nothing: it says so, once it is asked.
    func startReset(_ index: Int) {
        let end = ends[index]
        guard end.state == .open, !end.isResetting, !ends[index ^ 1].closesAfter else { return }
        end.isResetting = true
        let due = arrival(end.direction) + directions[end.direction ^ 1].delay
        queue.push(Event(.reset, at: due, node: end.host, value: UInt64(index), stamp: stamp(index)))
    }

    func tryReset(_ event: Event) {
        let index = Int(event.value)
        guard event.stamp == stamp(index), ends[index].state == .open else { return }
        let (end, other) = (ends[index], ends[index ^ 1])
        let answers =
            hosts[other.host].isUp && !isBlocked(end.direction) && !isBlocked(end.direction ^ 1)
            && (!end.isCut || phase == .healed)
        if answers { return noticeClose(index, after: .zero) }
        // The sender's system tries again.
        var later = event
        later.time = time + 1_000_000_000
        queue.push(later)
    }

    // MARK: Loss

    enum Notice { case both, oneLate, neither }

    /// The network loses a connection and all that is on the way.
    func cut(slot: Int, _ notice: Notice) {
        let (a, b) = (2 * slot, 2 * slot + 1)
        mark(.cut, node: ends[b].host, peer: ends[a].host)
        for index in [a, b] {
            let end = ends[index]
            end.isCut = true
            end.held += end.unreadCount
            let hadBytes = end.unreadCount > 0
            end.forgetBytes()
            if hadBytes { startReset(index) }
        }
        let first = networkRandom.chance(0.5) ? a : b
        switch notice {
        case .both:
            noticeClose(first, after: networkRandom.duration(in: .zero...(.milliseconds(500))))
            noticeClose(first ^ 1, after: networkRandom.duration(in: .zero...(.milliseconds(500))))
        case .oneLate:
            noticeClose(first, after: .zero)
            noticeClose(first ^ 1, after: networkRandom.duration(in: dials.lateNotice))
        case .neither: break
        }
    }
}
