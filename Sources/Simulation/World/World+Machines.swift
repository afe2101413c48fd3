import Envelope

/// Processes start and end, machines boot and lose power.
extension World {
    func handleMachineEvent(_ event: Event, _ host: Host) {
        switch event.kind {
        case .start:
            guard event.stamp == host.process.number, host.process.program == nil else { return }
            if !host.isUp { boot(host) }
            start(host)
        case .resume:
            if event.stamp == host.process.number { resume(host) }
        case .clockSet:
            if event.stamp == host.boots { host.clock.correctWall(at: time) }
        case .diskFreed: host.disk.capacity = dials.diskBytes
        default: host.disk.costs.factor = 1
        }
    }

    func prepareDisk(_ host: Host) {
        host.disk.faults = .init(
            write: dials[.writeFault], read: dials[.readFault], synchronize: dials[.synchronizeFault],
            misdirectedWrite: mayHit(host, .misdirectedWrite) ? dials[.misdirectedWrite] : 0)
        let index = host.index
        if let watch { host.disk.watch = { [unowned host] bytes in watch(host, bytes) } }
        host.disk.faultHappened = { [unowned self] in mark(.diskFault, node: index, a: UInt64($0.rawValue)) }
        host.disk.costs = .init(
            operation: dials.diskLatency.wholeNanoseconds, mebibyte: dials.diskTimePerMebibyte.wholeNanoseconds,
            synchronize: dials.synchronizeLatency.wholeNanoseconds)
    }

    private func boot(_ host: Host) {
        host.isUp = true
        host.boots += 1
        host.boot = Bytes16(low: machineRandom.next(), high: machineRandom.next())
        let monotonic = Int64(machineRandom.number(in: 1_000_000_000...86_400_000_000_000))
        var drift = 0
        if phase == .safety, chance(.clockDrift), dials.drift > 0 {
            drift = machineRandom.number(in: -dials.drift...dials.drift)
            counts[.clockDrift] += 1
        }
        host.clock = MachineClock(at: time, monotonic: monotonic, drift: Int64(drift))
        if phase == .safety, chance(.noClock) {
            counts[.noClock] += 1
            host.clock = MachineClock(at: time, monotonic: monotonic, drift: Int64(drift), wall: 0)
            let arrival = machineRandom.duration(in: dials.clockArrival).wholeNanoseconds
            queue.push(Event(.clockSet, at: time + arrival, node: host.index, stamp: host.boots))
        }
        mark(.booted, node: host.index)
    }

    private func start(_ host: Host) {
        host.fuse.renew()
        if phase == .safety { threaten(host) }
        let program = makeProgram(host)
        host.process.program = program
        mark(.started, node: host.index)
        do {
            try program.start()
        } catch {
            mark(.startFailed, node: host.index)
            host.fuse.end()
        }
        settle(host, program)
    }

    /// After the call in which the fuse burnt down, or where the program wanted to.
    func end(_ host: Host) {
        let losesPower = host.endsWithPowerLoss
        end(host, losesPower: losesPower)
    }

    /// The process is no more; with it the machine, where it loses power.
    func end(_ host: Host, losesPower: Bool) {
        beforeCrash?(host)
        mark(losesPower ? .lostPower : .ended, node: host.index)
        let number = host.process.number &+ 1
        host.process = Process()
        host.process.number = number
        host.endsWithPowerLoss = false
        closeAll(host, losesPower: losesPower)
        host.disk.processEnded()
        host.fuse.renew()
        if losesPower {
            losePower(host)
        } else if chance(.gatheredWrites) {
            counts[.gatheredWrites] += 1
            host.disk.loseGathered()
        }
        let wait =
            phase == .healed ? .milliseconds(100)...(.seconds(1)) : losesPower ? dials.bootTime : dials.restartTime
        let start = time + machineRandom.duration(in: wait).wholeNanoseconds
        queue.push(Event(.start, at: start, node: host.index, stamp: number))
    }

    private func losePower(_ host: Host) {
        host.isUp = false
        var loss = PowerLoss()
        loss.losesWrites = chance(.lostWrites)
        loss.tears = loss.losesWrites && chance(.tornWrites)
        loss.reorders = chance(.reorderedWrites)
        loss.losesNames = chance(.lostNames)
        if loss.losesWrites { counts[.lostWrites] += 1 }
        if loss.tears { counts[.tornWrites] += 1 }
        if loss.reorders { counts[.reorderedWrites] += 1 }
        if loss.losesNames { counts[.lostNames] += 1 }
        host.disk.losePower(loss)
    }

    // MARK: Pauses

    func pause(_ host: Host, for span: Duration) {
        host.process.isPaused = true
        mark(.paused, node: host.index)
        queue.push(
            Event(.resume, at: time + span.wholeNanoseconds, node: host.index, stamp: host.process.number))
    }

    func resume(_ host: Host) {
        guard host.process.isPaused else { return }
        host.process.isPaused = false
        mark(.resumed, node: host.index)
        let waiting = host.process.backlog
        host.process.backlog = []
        for var event in waiting {
            // A timer is known by the time that was meant.
            if event.kind == .timer, event.time == host.process.timer { host.process.timer = time }
            event.time = time
            queue.push(event)
        }
    }
}
