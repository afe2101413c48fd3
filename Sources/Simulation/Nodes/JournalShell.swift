import Envelope
import Journal

/// Drives a node's journal on its simulated disk, as `Platform.JournalThread` drives one on a thread: what is handed
/// over while one commit takes its time goes into the next.
final class JournalShell {
    static let token: UInt64 = 1

    private let host: Host
    private let model: StoreModel
    // Not checked for overlapping access when it runs, as `World` says.
    @exclusivity(unchecked) private var committer: Committer<SimulatedDisk>
    private var batch = JournalBatch()
    /// Empty between two commits; kept for its memory.
    @exclusivity(unchecked) private var taken = JournalBatch()
    /// What the commit under way will have brought once its time has passed.
    @exclusivity(unchecked) private var underWay: [JournalCompletion]?
    @exclusivity(unchecked) private var needsTidying = false
    var isIdle: Bool { underWay == nil && batch.isEmpty }

    init(
        _ host: Host, directory: String, _ options: LogOptions, replay: (ReplayedRecord) -> Void
    ) throws(JournalError) {
        self.host = host
        let model = host.storeModel(front: options.replayPrefix)
        var inspection = model.inspect(at: host)
        committer = Committer(
            try SegmentedLog.open(host.disk, directory: directory, options: options) { record in
                model.shown(record, &inspection, at: host)
                replay(record)
            })
        self.model = model
        if !host.isGone { model.finish(inspection, committer.report, at: host) }
        for _ in committer.report.damage { host.trace("journal.damage") }
    }

    var usage: LogUsage { committer.usage }

    func submit(_ fill: (inout JournalBatch) -> Void) {
        fill(&batch)
        if underWay == nil, !batch.isEmpty { begin() }
    }

    private func begin() {
        swap(&taken, &batch)
        let isEmpty = taken.isEmpty
        model.submitted(taken)
        let completions = committer.run(taken)
        model.completed(completions, at: host)
        underWay = completions
        taken.removeAll()
        needsTidying = true
        let latency = host.disk.takeLatency()
        host.after(
            committer.isStalled && isEmpty ? Committer<SimulatedDisk>.retryDelay : latency, token: Self.token)
    }

    /// The commit's time has passed.
    /// - Returns: what came of it; the owner acts on it before it calls ``goOn()``.
    func finished() -> [JournalCompletion] {
        let completions = underWay ?? []
        underWay = nil
        return completions
    }

    /// Commits what has come meanwhile, tries again what a failing disk did not take, cleans.
    func goOn() {
        guard underWay == nil else { return }
        if !batch.isEmpty || committer.isStalled { return begin() }
        guard needsTidying else { return }
        needsTidying = committer.tidy(isIdle: true)
        guard needsTidying else { return }
        underWay = []
        host.after(host.disk.takeLatency(), token: Self.token)
    }
}
