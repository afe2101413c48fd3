/// What one call of ``SegmentedLog/clean(budget:)`` did.
public struct CleaningReport: Hashable, Sendable {
    public var segmentsFreed = 0
    public var bytesCopied = 0
    public init() {}
    /// True where there was nothing to do.
    public var isIdle: Bool { segmentsFreed == 0 && bytesCopied == 0 }
}

extension SegmentedLog {
    /// Gives back segments with nothing live, and copies what is live out of one that is mostly dead.
    ///
    /// Commits what is staged where it has to. A crash at any point is harmless.
    /// - Parameter budget: bytes to copy at most in this call; one record is copied however long it is, unless the
    ///   budget is 0.
    /// - Throws: ``JournalError/file(_:)``; the journal is as valid as before.
    public mutating func clean(budget: Int) throws(JournalError) -> CleaningReport {
        var report = CleaningReport()
        let drained = Set(segments.dropLast().filter { $0.liveRecords == 0 && !$0.isPinned }.map(\.number))
        let pendingBefore = pendingReleases.count
        let mustState = stageStatements(leaving: drained)
        do throws(JournalError) {
            if stagedCopies == 0, budget > 0 { try copy(budget: budget, into: &report) }
            if mustState || stagedCopies > 0 { try commit(flags: 0) }
        } catch {
            // The next call states them anew; kept, they would pile up while the disk is ill.
            if pendingReleases.count > pendingBefore { pendingReleases.removeSubrange(pendingBefore...) }
            throw error
        }
        // In rising order, each durable before the next, so that a copy never goes before its original.
        for number in drained.sorted() {
            guard let index = segments.firstIndex(where: { $0.number == number }) else { continue }
            try recycle(index)
            report.segmentsFreed += 1
        }
        return report
    }

    /// Says again what the segments that go had said about those that stay.
    /// - Returns: true where that must be committed before they go.
    private mutating func stageStatements(leaving: Set<UInt64>) -> Bool {
        guard !leaving.isEmpty else { return false }
        var mustState = segments.contains { leaving.contains($0.number) && $0.lastCommit > acknowledgedOnDisk }
        for index in segments.indices where !leaving.contains(segments[index].number) {
            if leaving.contains(segments[index].endKeeper) {
                segments[index].endKeeper = 0
                mustState = true
            }
            if !segments[index].releasers.isDisjoint(with: leaving) {
                pendingReleases.append(contentsOf: segments[index].releasedRanges())
                mustState = true
            }
        }
        return mustState
    }

    private mutating func copy(budget: Int, into report: inout CleaningReport) throws(JournalError) {
        let isTight = segments.count * 4 >= options.capacity * 3
        let bound = isTight ? options.segmentBytes / 4 * 3 : options.segmentBytes / 4
        let candidate = segments.indices.dropLast().first {
            segments[$0].liveRecords > 0 && segments[$0].liveBytes < bound && !segments[$0].isPinned
        }
        guard let candidate else { return }
        var payload: [UInt8] = []
        for isCopy in [false, true] {
            let count = (isCopy ? segments[candidate].copied : segments[candidate].fresh).entries.count
            for position in 0..<count {
                let entry = isCopy ? segments[candidate].copied[position] : segments[candidate].fresh[position]
                guard entry.state == .live else { continue }
                let footprint = Layout.footprint(entry.length)
                guard report.bytesCopied == 0 || report.bytesCopied + footprint <= budget else { return }
                let location = RecordLocation(segment: candidate, position: position, isCopy: isCopy)
                try stageCopy(location, LSN(entry.lsn), &payload, &report)
            }
        }
    }

    /// A record found damaged is noted and left behind.
    mutating func stageCopy(
        _ location: RecordLocation, _ lsn: LSN, _ payload: inout [UInt8], _ report: inout CleaningReport
    ) throws(JournalError) {
        let kind: RecordKind
        do throws(JournalError) {
            kind = try read(location, into: &payload)
        } catch .damaged {
            return
        } catch {
            throw error
        }
        payload.withUnsafeBytes { staging.append(lsn, kind, $0, .init(start: nil, count: 0), isCopy: true) }
        stagedCopies += 1
        report.bytesCopied += Layout.footprint(payload.count)
        plan.add(Layout.footprint(payload.count), segmentBytes: options.segmentBytes)
    }
}
