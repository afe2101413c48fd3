import Envelope

extension World {
    /// All faults end at once.
    func heal() {
        phase = .healed
        mark(.healed, node: 0)
        for index in directions.indices {
            directions[index].blockedUntil = 0
            directions[index].slowUntil = 0
            open(direction: index)
        }
        for host in hosts { heal(host) }
        afterHeal?()
    }

    private func heal(_ host: Host) {
        host.disk.faults = .init()
        host.disk.capacity = dials.diskBytes
        host.disk.costs.factor = 1
        host.endsWithPowerLoss = false
        host.fuse.renew()
        host.clock.correct(at: time)
        if host.process.program == nil {
            let start = time + Int64(machineRandom.below(1_000_000_000))
            queue.push(Event(.start, at: start, node: host.index, stamp: host.process.number))
            return
        }
        resume(host)
        host.process.deadline = host.clock.time(of: host.process.told)
        setTimer(host)
    }
}
