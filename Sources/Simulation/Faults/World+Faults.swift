import Envelope

/// Faults come by themselves, each kind at its own rate and from its own stream of chance.
extension World {
    func scheduleFaults() {
        for kind in FaultKind.allCases where kind.measure == .timesAMinute && dials[kind] > 0 { scheduleNext(kind) }
    }

    private func scheduleNext(_ kind: FaultKind) {
        let mean = 60_000_000_000 / dials[kind]
        let wait = faultRandom[kind.rawValue].fraction(in: 0...2) * mean
        queue.push(Event(.fault, at: time + Int64(wait) + 1, value: UInt64(kind.rawValue)))
    }

    func happen(_ event: Event) {
        guard phase == .safety, let kind = FaultKind(rawValue: Int(event.value)) else { return }
        scheduleNext(kind)
        // Moved out and back: what happens draws from the same stream.
        var random = faultRandom[kind.rawValue]
        happen(kind, &random)
        faultRandom[kind.rawValue] = random
    }

    private func happen(_ kind: FaultKind, _ random: inout SeededRandom) {
        switch kind {
        case .connectionLoss: loseConnection(kind, .both, &random)
        case .halfOpen: loseConnection(kind, .oneLate, &random)
        case .silentLoss: loseConnection(kind, .neither, &random)
        case .oneWayPartition, .partition, .isolation, .slowLink, .clog, .swizzle: disturb(kind, &random)
        case .kill, .killInside, .pause, .powerLoss, .powerLossInside, .wiped, .rolledBack: strike(kind, &random)
        case .clockStep, .bitRot, .diskFull, .slowDisk: trouble(kind, hosts[random.below(hosts.count)], &random)
        case .visit: visit(&random)
        default: break
        }
    }

    private func visit(_ random: inout SeededRandom) {
        let host = hosts[random.below(hosts.count)]
        guard host.isRunning else { return }
        counts[.visit] += 1
        guard let visitToken else { return }
        queue.push(
            Event(.operation, at: time, node: host.index, value: visitToken, stamp: host.process.number))
    }

    /// Whether a fault that is a matter of probability happens.
    func chance(_ kind: FaultKind) -> Bool {
        let rate = dials[kind]
        return rate > 0 && faultRandom[kind.rawValue].chance(rate)
    }

    /// Makes one fault of a kind happen now, whatever the dials say.
    ///
    /// Kinds that are probabilities of an operation cannot be called for.
    public func happen(_ kind: FaultKind) {
        precondition(kind.measure == .timesAMinute, "\(kind) is not something that happens by itself")
        var random = faultRandom[kind.rawValue]
        happen(kind, &random)
        faultRandom[kind.rawValue] = random
    }

    // MARK: Processes and machines

    private func strike(_ kind: FaultKind, _ random: inout SeededRandom) {
        let running = hosts.filter(\.isRunning)
        guard !running.isEmpty else { return }
        let host = running[random.below(running.count)]
        guard mayHit(host, kind) else { return }
        switch kind {
        case .kill, .powerLoss: end(host, losesPower: kind == .powerLoss)
        case .killInside, .powerLossInside:
            guard !host.fuse.isLit else { return }
            light(kind, host, &random)
        case .pause:
            guard !host.isPaused else { return }
            let isLong = random.chance(dials.longPauses)
            pause(host, for: random.duration(in: isLong ? dials.longPauseTime : dials.pauseTime))
        default:
            replaceDisk(kind, host)
            // A machine that forgets may go on to do so: its short lives are then numbered alike.
            if random.chance(0.5) { host.forgetsAgain = (kind, times: random.number(in: 1...8)) }
            return
        }
        counts[kind] += 1
    }

    func replaceDiskAgain(_ event: Event, _ host: Host) {
        guard phase == .safety, host.isRunning, event.stamp == host.process.number else { return }
        replaceDisk(host.forgetsAgain.kind, host)
    }

    private func light(_ kind: FaultKind, _ host: Host, _ random: inout SeededRandom) {
        host.fuse.light(random.number(in: 1...60))
        host.endsWithPowerLoss = kind == .powerLossInside
    }

    /// Some processes end while they recover from how the last one ended.
    func threaten(_ host: Host) {
        if host.forgetsAgain.times > 0 {
            host.forgetsAgain.times -= 1
            let life = faultRandom[host.forgetsAgain.kind.rawValue].duration(in: .milliseconds(20)...(.seconds(3)))
            queue.push(
                Event(
                    .diskReplaced, at: time + life.wholeNanoseconds, node: host.index, stamp: host.process.number))
        }
        for kind in [FaultKind.killInside, .powerLossInside] where dials[kind] > 0 && !host.fuse.isLit {
            guard mayHit(host, kind), faultRandom[kind.rawValue].chance(0.2) else { continue }
            light(kind, host, &faultRandom[kind.rawValue])
            counts[kind] += 1
        }
    }

    /// A machine comes back with an empty disk, or with what it had at an earlier such moment.
    private func replaceDisk(_ kind: FaultKind, _ host: Host) {
        if kind == .rolledBack, host.disk.snapshot == nil { return host.disk.takeSnapshot() }
        end(host, losesPower: true)
        if kind == .wiped { host.disk.wipe() } else { host.disk.rollBack() }
    }

    // MARK: Clocks and disks

    private func trouble(_ kind: FaultKind, _ host: Host, _ random: inout SeededRandom) {
        switch kind {
        case .clockStep:
            let size = dials.clockStep.wholeNanoseconds
            host.clock.step(by: Int64(random.number(in: Int(-size)...Int(size))))
            mark(.clockStepped, node: host.index)
        case .bitRot:
            if mayHit(host, kind) { host.disk.rotBit() }
            // The disk counts it.
            return
        case .diskFull:
            host.disk.capacity = min(dials.diskBytes, host.disk.usedBytes + random.number(in: dials.fullDiskBytes))
            mark(.diskFull, node: host.index)
            let end = time + random.duration(in: dials.fullDiskTime).wholeNanoseconds
            queue.push(Event(.diskFreed, at: end, node: host.index))
        default:
            host.disk.costs.factor = Int64(dials.slowDiskFactor)
            mark(.diskSlow, node: host.index)
            let end = time + random.duration(in: dials.slowDiskTime).wholeNanoseconds
            queue.push(Event(.diskSpedUp, at: end, node: host.index))
        }
        counts[kind] += 1
    }
}
