import Envelope
import Node
import Synchronization

/// How a job or a sink is doing, as told by its thread and asked by others.
final class JobStatus: Sendable {
    private let report: Mutex<JobReport>

    init(name: String) { report = Mutex(JobReport(name: name, state: "idle")) }

    func set(_ state: String, at time: WallTime? = nil) {
        report.withLock { report in
            report.state = state
            if let time { report.lastRun = time }
        }
    }

    func succeeded() {
        report.withLock { report in
            report.state = "idle"
            report.lastError = nil
        }
    }

    func failed(_ state: String, _ error: String) {
        report.withLock { report in
            report.state = state
            report.lastError = error
        }
    }

    func made(records: Int) {
        report.withLock { report in
            report.records += UInt64(records)
            report.envelopes += 1
        }
    }

    var current: JobReport { report.withLock { $0 } }
}

/// The same for a sink.
final class SinkStatus: Sendable {
    private let report: Mutex<SinkReport>

    init(name: String) { report = Mutex(SinkReport(name: name, state: "idle")) }

    func set(_ state: String) { report.withLock { $0.state = state } }

    /// - Parameter isBlocked: a stream waits because its batch is rejected; that stays to be seen.
    func succeeded(records: Int, isBlocked: Bool) {
        report.withLock { report in
            report.records += UInt64(records)
            guard !isBlocked else {
                report.state = "blocked"
                return
            }
            report.state = "running"
            report.lastError = nil
        }
    }

    func failed(_ state: String, _ error: String) {
        report.withLock { report in
            report.state = state
            report.lastError = error
        }
    }

    var current: SinkReport { report.withLock { $0 } }
}
