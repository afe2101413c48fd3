extension Recovery {
    /// Lets all releases that count have their effect, in whatever segment the record lies.
    mutating func applyReleases() {
        setBases()
        for source in scans.indices {
            let number = scans[source].segment.number
            let end = scans[source].segment.end
            for control in scans[source].controls where control.kind == .release && control.place < end {
                for pair in control.pairs where pair.first <= pair.second {
                    for index in scans.indices where scans[index].segment.release(pair) {
                        scans[index].segment.releasers.insert(number)
                    }
                }
            }
        }
    }

    /// A copy is the record, what it was copied from is not.
    mutating func resolveCopies() {
        for copy in scans.indices.reversed() {
            for entry in scans[copy].segment.copied.entries {
                for index in scans.indices where index != copy {
                    if let position = scans[index].segment.fresh.position(of: entry.lsn),
                        scans[index].segment.fresh[position].state == .live
                    {
                        scans[index].segment.mark(.moved, at: position, isCopy: false)
                    }
                    if index < copy, let position = scans[index].segment.copied.position(of: entry.lsn),
                        scans[index].segment.copied[position].state == .live
                    {
                        scans[index].segment.mark(.moved, at: position, isCopy: true)
                    }
                }
            }
        }
    }

    /// A segment without fresh records begins where the next one does.
    private mutating func setBases() {
        var base = nextLSN.number
        for index in scans.indices.reversed() {
            if let first = scans[index].segment.fresh.entries.first { base = min(base, first.lsn) }
            scans[index].segment.base = base
        }
    }

    mutating func summarize() {
        report.segments = scans.count
        for scan in scans {
            report.records += scan.segment.liveRecords
            report.liveBytes += scan.segment.liveBytes
            for index in [scan.segment.fresh, scan.segment.copied] {
                for entry in index.entries where entry.state == .released { report.released += 1 }
            }
        }
    }
}
