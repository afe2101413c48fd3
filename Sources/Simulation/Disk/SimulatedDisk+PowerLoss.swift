/// What a power loss does to what was not synchronized.
struct PowerLoss {
    var losesWrites = false
    /// Sectors of one write fare differently.
    var tears = false
    /// What was written later may be there while what was written before is not.
    var reorders = false
    var losesNames = false
}

extension SimulatedDisk {
    /// The machine is off: the page cache is gone, and of what was not synchronized some.
    func losePower(_ loss: PowerLoss) {
        processEnded()
        var limit = 0
        names.losePower { index, count in
            if !loss.losesNames { return true }
            if loss.reorders { return random.chance(0.5) }
            if index == 0 { limit = random.below(count + 1) }
            return index < limit
        }
        // A file that a lost removal brings back is among them.
        for path in names.paths {
            names.file(path)?.applySurvivors(loss, &random)
            names.file(path)?.forgetCache()
        }
        recount()
    }

    /// The process is gone, and had not given the system all that it wrote and did not synchronize. What it gave is on
    /// the medium, since it did not leave it to the page cache.
    func loseGathered() {
        let loss = PowerLoss(losesWrites: true)
        for path in names.paths {
            guard let inode = names.file(path), !inode.pending.isEmpty else { continue }
            inode.applySurvivors(loss, &random)
            inode.forgetCache()
        }
        recount()
    }

    private func recount() {
        usedBytes = 0
        for path in names.paths {
            guard let inode = names.file(path) else { continue }
            inode.isNamed = true
            usedBytes += inode.bytes.count
        }
    }

    /// A new, empty disk.
    func wipe() {
        processEnded()
        names = NameTable()
        usedBytes = 0
        damageLog.append(Damage(kind: .wiped, path: "/", range: 0..<0))
        count(.wiped)
    }
}

extension Inode {
    /// Moves to the medium what of the pending writes survives. They stay pending.
    func applySurvivors(_ loss: PowerLoss, _ random: inout SeededRandom) {
        let count = pending.entries.count
        if count == 0 { return }
        if !loss.losesWrites {
            for index in 0..<count { apply(index) }
        } else if loss.reorders {
            for index in 0..<count {
                if loss.tears, random.chance(0.3) {
                    applySectors(index, &random)
                } else if random.chance(0.5) {
                    apply(index)
                }
            }
        } else {
            let limit = random.below(count + 1)
            for index in 0..<limit { apply(index) }
            if loss.tears, limit < count { applySectors(limit, &random) }
        }
    }

    /// Some sectors of a write get through, each for itself. A truncation is whole or not at all.
    private func applySectors(_ index: Int, _ random: inout SeededRandom) {
        let entry = pending.entries[index]
        if entry.isTruncation { return random.chance(0.5) ? apply(index) : () }
        var start = 0
        while start < entry.count {
            let sector = SimulatedDisk.sectorBytes
            let end = min(entry.count, ((entry.offset + start) / sector + 1) * sector - entry.offset)
            if random.chance(0.5) { apply(index, range: start..<end) }
            start = end
        }
    }
}
