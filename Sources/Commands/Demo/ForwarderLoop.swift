import Glibc

/// The thread of a ``Forwarder``: one poll over the listener, the bell and both ends of each connection.
final class ForwarderLoop {
    /// One connection through the line, with what has come from one end and not yet gone to the other.
    struct Pair {
        /// The end that dialled, and the end it was led to.
        var ends: [Int32]
        /// Read from `ends[index]`, to be written to the other one.
        var waiting: [ArraySlice<UInt8>] = [[], []]
        /// An end that says no more.
        var isSilent = [false, false]
        var isBroken = false

        var isOver: Bool { isBroken || (isSilent[0] && isSilent[1] && waiting[0].isEmpty && waiting[1].isEmpty) }
    }

    private let owner: Forwarder
    private let listener: Int32
    private let bell: Int32
    private let target: UInt16
    private var pairs: [Pair] = []
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)

    init(_ owner: Forwarder, listener: Int32, bell: Int32, target: UInt16) {
        (self.owner, self.listener, self.bell, self.target) = (owner, listener, bell, target)
    }

    func run() {
        defer {
            close(listener)
            for pair in pairs { close(pair) }
        }
        while true {
            let (isCut, isHung, isOver) = owner.note { ($0.isCut, $0.isHung, $0.isOver) }
            if isOver { return }
            if isCut { for index in pairs.indices { pairs[index].isBroken = true } }
            sweep()
            // A negative descriptor is left out.
            var events = [pollfd(fd: isHung ? -1 : listener, events: Int16(POLLIN), revents: 0)]
            events.append(pollfd(fd: bell, events: Int16(POLLIN), revents: 0))
            for pair in pairs { for end in 0...1 { events.append(interest(in: pair, end, isHung)) } }
            guard poll(&events, nfds_t(events.count), -1) >= 0 || errno == EINTR else { return }
            if events[1].revents != 0 { _ = read(bell, &chunk, chunk.count) }
            for index in pairs.indices {
                for end in 0...1 { serve(&pairs[index], end, events[2 + 2 * index + end].revents) }
            }
            if events[0].revents != 0 { accept() }
        }
    }

    private func interest(in pair: Pair, _ end: Int, _ isHung: Bool) -> pollfd {
        guard !isHung else { return pollfd(fd: -1, events: 0, revents: 0) }
        var events = 0
        // What has been read is written first, so that nothing piles up.
        if !pair.isSilent[end], pair.waiting[end].isEmpty { events |= Int(POLLIN) }
        if !pair.waiting[1 - end].isEmpty { events |= Int(POLLOUT) }
        // Left out, too; else an end that has hung up would wake the thread again and again.
        return pollfd(fd: events == 0 ? -1 : pair.ends[end], events: Int16(events), revents: 0)
    }

    private func serve(_ pair: inout Pair, _ end: Int, _ happened: Int16) {
        guard happened != 0, !pair.isBroken else { return }
        if !pair.isSilent[end], pair.waiting[end].isEmpty { receive(&pair, end) }
        for end in 0...1 { send(&pair, from: end) }
    }

    private func receive(_ pair: inout Pair, _ end: Int) {
        let count = read(pair.ends[end], &chunk, chunk.count)
        if count > 0 {
            pair.waiting[end] = chunk[..<count]
            let bytes = pair.waiting[end]
            owner.note { state in
                state.passed += UInt64(count)
                let room = max(0, Forwarder.captureBytes - state.capture[end].count)
                state.capture[end] += bytes.prefix(room)
            }
        } else if count == 0 {
            pair.isSilent[end] = true
        } else if errno != EAGAIN, errno != EINTR {
            pair.isBroken = true
        }
    }

    private func send(_ pair: inout Pair, from end: Int) {
        let other = pair.ends[1 - end]
        while !pair.waiting[end].isEmpty {
            let count = pair.waiting[end].withUnsafeBytes { write(other, $0.baseAddress, $0.count) }
            if count >= 0 {
                pair.waiting[end] = pair.waiting[end].dropFirst(count)
            } else if errno == EAGAIN || errno == ENOTCONN {
                return
            } else if errno != EINTR {
                pair.isBroken = true
                return
            }
        }
        if pair.isSilent[end] { shutdown(other, Int32(SHUT_WR)) }
    }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            // Asked anew for each: who dials after the line was healed must get through.
            guard !owner.note({ $0.isCut }), let onward = Loopback.socket() else {
                reset(descriptor)
                continue
            }
            guard Loopback.connect(onward, port: target) else {
                close(onward)
                reset(descriptor)
                continue
            }
            for end in [descriptor, onward] {
                var one: Int32 = 1
                setsockopt(end, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
            }
            pairs.append(Pair(ends: [descriptor, onward]))
            let count = pairs.count
            owner.note { $0.connections = count }
        }
    }

    /// Closes what is over, in the hard way where it was broken, as a cut cable shows itself.
    private func sweep() {
        for pair in pairs where pair.isOver { close(pair) }
        pairs.removeAll(where: \.isOver)
        let count = pairs.count
        owner.note { $0.connections = count }
    }

    private func close(_ pair: Pair) { for end in pair.ends { pair.isBroken ? reset(end) : close(end) } }

    private func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    private func reset(_ descriptor: Int32) {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
    }
}
