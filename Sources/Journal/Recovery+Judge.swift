#if CANARIES
    import Envelope
#endif

extension Recovery {
    /// Decides what of each segment counts, cuts the rest and notes the damage.
    mutating func judge() {
        for scan in scans {
            acknowledged = max(acknowledged, scan.header.acknowledged)
            nextLSN = max(nextLSN, scan.nextLSN)
            for commit in scan.commits {
                acknowledged = max(acknowledged, commit.mark.acknowledged)
                nextCommit = max(nextCommit, commit.mark.number &+ 1)
            }
        }
        nextCommit = max(nextCommit, acknowledged &+ 1)
        let void = voidSpans()
        settled = void.isEmpty ? nextCommit - 1 : acknowledged
        // End records lie in higher segments than those they speak of, so going down each is judged before it counts.
        var stated: [UInt64: (end: Int, keeper: UInt64)] = [:]
        for index in scans.indices.reversed() {
            settleEnd(index, stated[scans[index].segment.number], void[scans[index].segment.number])
            let end = scans[index].segment.end
            for control in scans[index].controls where control.kind == .end && control.place < end {
                for pair in control.pairs where pair.first < scans[index].segment.number {
                    let place = Int(clamping: pair.second)
                    if place < stated[pair.first]?.end ?? .max {
                        stated[pair.first] = (place, scans[index].segment.number)
                    }
                }
            }
        }
    }

    mutating func findUnsure() {
        for scan in scans {
            let commits = scan.commits.filter { $0.mark.number > acknowledged && $0.place < scan.segment.end }
            let starts = commits.map { min($0.place, Int($0.mark.spanStart)) }
            if let from = starts.min() { unsure.append(UnsureEnd(segment: scan.segment.number, from: from)) }
        }
    }

    /// A span that does not count.
    struct VoidSpan {
        var start: Int
        /// The commit has all its parts, yet something of what it speaks of is missing.
        var isUncertain: Bool
    }

    /// Spans of commits that were not known durable and are not whole.
    private func voidSpans() -> [UInt64: VoidSpan] {
        var open: [(segment: UInt64, commit: ScannedCommit)] = []
        for scan in scans {
            for commit in scan.commits where commit.mark.number > acknowledged {
                open.append((scan.segment.number, commit))
            }
        }
        open.sort { $0.commit.mark.number < $1.commit.mark.number }
        var void: [UInt64: VoidSpan] = [:]
        var start = 0
        while start < open.count {
            var end = start + 1
            while end < open.count, open[end - 1].commit.mark.continues, open[end].commit.mark.isContinued,
                open[end].commit.mark.number == open[end - 1].commit.mark.number &+ 1
            {
                end += 1
            }
            let group = open[start..<end]
            let isComplete = !open[start].commit.mark.isContinued && !open[end - 1].commit.mark.continues
            if !isComplete || !group.allSatisfy(\.commit.isWhole) {
                for part in group {
                    let place = Int(part.commit.mark.spanStart)
                    let earlier = void[part.segment]
                    void[part.segment] = VoidSpan(
                        start: min(place, earlier?.start ?? place),
                        isUncertain: isComplete || earlier?.isUncertain ?? false)
                }
            }
            start = end
        }
        return void
    }

    private mutating func settleEnd(_ index: Int, _ record: (end: Int, keeper: UInt64)?, _ void: VoidSpan?) {
        var segment = scans[index].segment
        if segment.endKeeper == 0 {
            // Nobody says where it ends: behind its last commit. What lies before a commit's span was committed, for a
            // segment is closed when a commit fails.
            let spanStart =
                scans[index].commits.last.map { min($0.place, Int($0.mark.spanStart)) } ?? Layout.firstRecord
            let counting = scans[index].commits.last { $0.place < void?.start ?? .max }
            segment.end = max(spanStart, counting?.end ?? Layout.firstRecord)
        }
        if let record, segment.endKeeper == 0 || record.end < segment.end {
            // The scan did not know how far it should get.
            if segment.endKeeper == 0, scans[index].reached < record.end {
                scans[index].gaps.append(ScannedGap(range: scans[index].reached..<record.end))
            }
            segment.end = record.end
            segment.endKeeper = record.keeper
        }
        if let void, void.start < segment.end {
            segment.end = void.start
            segment.endKeeper = 0
        }
        #if CANARIES
            if Canary.isPlanted(.truncateAtFirstBadRecord), let gap = scans[index].gaps.first {
                segment.end = min(segment.end, gap.range.lowerBound)
            }
        #endif
        let end = segment.end
        segment.lastCommit = scans[index].commits.lazy.filter { $0.place < end }.map(\.mark.number).max() ?? 0
        let cut = segment.cut(at: segment.end)
        let torn = scans[index].gaps.contains { $0.range.lowerBound >= segment.end }
        if segment.endKeeper == 0, cut > 0 || torn || void != nil {
            report.tornTails.append(
                TornTail(
                    segment: segment.name, offset: segment.end, records: cut,
                    isUncertain: void?.isUncertain ?? false))
        }
        for gap in scans[index].gaps where gap.range.lowerBound < segment.end {
            segment.isDamaged = true
            report.damage.append(
                DamagedRecord(
                    segment: segment.name, offset: gap.range.lowerBound, bytes: gap.range.count, lsn: gap.lsn,
                    kind: gap.kind))
        }
        for place in scans[index].unknown where place < segment.end {
            segment.isPinned = true
            report.unknownKinds[.firstReserved, default: 0] += 1
        }
        scans[index].segment = segment
    }
}

extension Segment {
    /// Forgets records from a place on.
    /// - Returns: how many there were.
    mutating func cut(at place: Int) -> Int {
        let count = fresh.entries.count + copied.entries.count
        fresh.removeAll { Int($0.place) >= place }
        copied.removeAll { Int($0.place) >= place }
        liveRecords = fresh.entries.count + copied.entries.count
        liveBytes = 0
        for entry in fresh.entries { liveBytes += Layout.footprint(entry.length) }
        for entry in copied.entries { liveBytes += Layout.footprint(entry.length) }
        return count - liveRecords
    }
}
