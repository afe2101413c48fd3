import Envelope

/// Bytes on connections: in order, cut anywhere, and lost only with the connection.
extension World {
    /// Most bytes that a program gets at once.
    private static var deliveryBytes: Int { 256 << 10 }

    /// The place of a host's end of a connection; nil where the process does not have it any more.
    func end(of host: Host, _ id: ConnectionID) -> Int? {
        let first = 2 * Int(id.slot)
        guard ends.indices.contains(first), ends[first].number == id.number else { return nil }
        let index = ends[first].host == host.index ? first : first + 1
        return ends[index].state == .open && ends[index].host == host.index ? index : nil
    }

    func write(_ host: Host, _ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard let index = end(of: host, id) else { return bytes.count }
        let end = ends[index]
        let count = min(bytes.count, max(0, dials.windowBytes - end.unreadCount - end.held))
        if count < bytes.count { end.wantsRoom = true }
        guard count > 0 else { return 0 }
        send(index, UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        return count
    }

    private func send(_ index: Int, _ bytes: UnsafeRawBufferPointer) {
        let end = ends[index]
        if end.isCut || ends[index ^ 1].state == .gone {
            end.held += bytes.count
            return startReset(index)
        }
        let direction = directions[end.direction]
        var transfer = Int64(bytes.count) * 1_000_000_000 / direction.bytesPerSecond
        if direction.slowUntil > time { transfer *= 100 }
        end.busyUntil = max(time, end.busyUntil) + transfer
        end.lastArrival = max(end.lastArrival, end.busyUntil + direction.delay + jitter())
        end.append(bytes, at: end.lastArrival)
        queueDelivery(index)
    }

    /// The delivery of an end's first chunk is in the queue, unless it waits for something else.
    func queueDelivery(_ index: Int) {
        let end = ends[index]
        guard !end.isQueued, !end.isStalled, end.hasChunks else { return }
        end.isQueued = true
        let due = max(time, end.chunks[end.firstChunk].time)
        queue.push(Event(.deliver, at: due, node: ends[index ^ 1].host, value: UInt64(index), stamp: stamp(index)))
    }

    func deliver(_ event: Event, to host: Host) {
        let index = Int(event.value)
        guard event.stamp == stamp(index), ends[index].state != .unused else { return }
        let (end, receiver) = (ends[index], ends[index ^ 1])
        end.isQueued = false
        if end.isCut || receiver.state == .gone {
            end.held += end.unreadCount
            end.forgetBytes()
            return startReset(index)
        }
        if receiver.state == .opening {
            end.isStalled = true
            return
        }
        if isBlocked(end.direction) {
            end.isStalled = true
            return directions[end.direction].stalled.append(index)
        }
        var count = end.arrive(by: time, limit: Self.deliveryBytes)
        if count > 1, phase == .safety, chance(.cutBytes) {
            let part = faultRandom[FaultKind.cutBytes.rawValue].number(in: 1...count - 1)
            end.postpone(count - part, to: time + Int64(faultRandom[FaultKind.cutBytes.rawValue].below(2_000_000)))
            counts[.cutBytes] += 1
            count = part
        }
        if count > 0 { pass(index, count, to: host) }
        guard event.stamp == stamp(index), end.state != .unused else { return }
        if end.hasChunks {
            queueDelivery(index)
        } else if end.closesAfter, end.unreadCount == 0, receiver.state != .gone {
            tellClose(index ^ 1, at: time)
        }
    }

    private func pass(_ index: Int, _ count: Int, to host: Host) {
        let end = ends[index]
        // The bytes are taken out meanwhile: the program may do anything in the call.
        var bytes: [UInt8] = []
        swap(&bytes, &end.bytes)
        bytes.withUnsafeBytes { all in
            let part = UnsafeRawBufferPointer(rebasing: all[end.head..<end.head + count])
            trace.hash.add(part)
            mark(.delivered, node: host.index, peer: end.host, a: UInt64(count))
            enter(host) { $0.received(id(index), part) }
        }
        swap(&bytes, &end.bytes)
        if end.state == .unused { return end.forgetBytes() }
        end.consume(count)
        acknowledge(index, count)
    }

    private func acknowledge(_ index: Int, _ count: Int) {
        let end = ends[index]
        let back = end.direction ^ 1
        if isBlocked(back) {
            if end.held == 0 { directions[back].unacknowledged.append(index) }
            end.held += count
        } else {
            offerRoom(index)
        }
    }

    /// Tells a program that waits for it that there is room again, once it is a quarter of the window.
    private func offerRoom(_ index: Int) {
        let end = ends[index]
        guard end.wantsRoom, end.state == .open,
            (dials.windowBytes - end.unreadCount - end.held) * 4 >= dials.windowBytes
        else { return }
        end.wantsRoom = false
        queue.push(
            Event(
                .writable, at: arrival(end.direction ^ 1), node: end.host, value: UInt64(index), stamp: stamp(index)))
    }

    func becomesWritable(_ event: Event, _ host: Host) {
        let index = Int(event.value)
        guard event.stamp == stamp(index), ends[index].state == .open else { return }
        enter(host) { $0.writable(id(index)) }
    }

    // MARK: Blocked links

    /// Nothing passes a direction until then. Bytes wait, dials time out.
    func block(direction: Int, for span: Duration) {
        let until = time + span.wholeNanoseconds
        mark(.blocked, node: directions[direction].to, peer: directions[direction].from)
        directions[direction].blockedUntil = max(directions[direction].blockedUntil, until)
        queue.push(Event(.linkOpens, at: until, value: UInt64(direction)))
    }

    func open(direction: Int) {
        guard !isBlocked(direction) else { return }
        let stalled = directions[direction].stalled
        let unacknowledged = directions[direction].unacknowledged
        directions[direction].stalled = []
        directions[direction].unacknowledged = []
        mark(.opened, node: directions[direction].to, peer: directions[direction].from)
        for index in stalled where ends[index].isStalled {
            ends[index].isStalled = false
            queueDelivery(index)
        }
        for index in unacknowledged where ends[index].state == .open {
            ends[index].held = 0
            offerRoom(index)
        }
    }
}
