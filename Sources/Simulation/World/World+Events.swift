import Envelope

extension World {
    func handle(_ event: Event) {
        switch event.kind {
        case .deliver, .writable, .closed, .dialCompletes, .accepted, .dialFailed, .timer, .operation:
            let host = hosts[Int(event.node)]
            if host.process.isPaused {
                host.process.backlog.append(event)
            } else {
                handleProgramEvent(event, host)
            }
        case .start, .resume, .clockSet, .diskFreed, .diskSpedUp: handleMachineEvent(event, hosts[Int(event.node)])
        case .dialArrives: dialArrives(event)
        case .reset: tryReset(event)
        case .clogStarts: clogStarts(event)
        case .linkOpens: open(direction: Int(event.value))
        case .diskReplaced: replaceDiskAgain(event, hosts[Int(event.node)])
        case .fault: happen(event)
        }
    }

    private func handleProgramEvent(_ event: Event, _ host: Host) {
        switch event.kind {
        case .deliver: deliver(event, to: host)
        case .writable: becomesWritable(event, host)
        case .closed: closes(event, host)
        case .dialCompletes: dialCompletes(event, host)
        case .accepted: accept(event, host)
        case .dialFailed: dialFails(event, host)
        case .timer: timerFires(event, host)
        default:
            guard event.stamp == host.process.number else { return }
            enter(host) { $0.operationFinished(event.value) }
        }
    }

    private func timerFires(_ event: Event, _ host: Host) {
        guard event.stamp == host.process.number, event.time == host.process.timer else { return }
        host.process.timer = .max
        if host.process.deadline <= time {
            // Asked anew whatever it says: what it says may be the same.
            host.process.told = .never
            host.process.deadline = .max
            enter(host) { $0.timeReached() }
        } else {
            setTimer(host)
        }
    }

    /// Calls into a host's program and sees to what follows.
    @inline(__always)
    func enter(_ host: Host, _ body: (any Program) -> Void) {
        guard let program = host.process.program else { return }
        body(program)
        settle(host, program)
    }

    func settle(_ host: Host, _ program: any Program) {
        if host.fuse.hasBurnt { return end(host) }
        let told = program.nextDeadline
        if told == host.process.told { return }
        host.process.told = told
        host.process.deadline = host.clock.time(of: told)
        setTimer(host)
    }

    /// A timer event that comes too early is harmless and one that comes too late is not: a deadline that moves away
    /// costs no event.
    func setTimer(_ host: Host) {
        guard host.process.deadline < host.process.timer else { return }
        // A deadline that stays in the past must not stop the world's time.
        let due = max(host.process.deadline, time + 1000)
        guard due < host.process.timer else { return }
        host.process.timer = due
        queue.push(Event(.timer, at: due, node: host.index, stamp: host.process.number))
    }
}
