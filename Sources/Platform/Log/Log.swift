import Envelope
import Glibc
import Synchronization

/// Writes one line a fact: time, level, a stable event name to search and alert by, words for people, and fields.
///
/// An event that comes more than ``linesPerSecond`` times a second is counted instead of written, and a line with
/// the event `log.suppressed` gives the count once the second is over.
public final class Log: Sendable {
    /// Lines of one event written in a second.
    public static let linesPerSecond = 20

    public let level: Level
    private let format: Format
    private let output: Output
    private let clock: @Sendable () -> (Instant, WallTime)
    private let throttle = Mutex(Throttle(limit: Log.linesPerSecond))

    public convenience init(level: Level = .info, format: Format = .text, output: Output = .standardError) {
        self.init(level: level, format: format, output: output) { (Clock.now, Clock.wall) }
    }

    init(level: Level, format: Format, output: Output, clock: @escaping @Sendable () -> (Instant, WallTime)) {
        self.level = level
        self.format = format
        self.output = output
        self.clock = clock
    }

    /// - Parameters:
    ///   - event: a name that never changes, such as `link.up`.
    ///   - message: words for people; not computed where the level is not written.
    public func write(
        _ level: Level, _ event: StaticString, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> Fields = [:]
    ) {
        guard level >= self.level else { return }
        let (now, wall) = clock()
        let name = event.description
        let verdict = throttle.withLock { $0.admit(name, at: now) }
        for entry in verdict.summaries { summarise(entry, wall) }
        guard verdict.isAdmitted else { return }
        emit(Line(time: wall, level: level, event: name, message: message(), fields: fields()))
    }

    /// Writes what is still to be said about suppressed lines; for the end of a process.
    public func flush() {
        let (_, wall) = clock()
        for entry in throttle.withLock({ $0.takeAll() }) { summarise(entry, wall) }
    }

    private func summarise(_ entry: Throttle.Summary, _ wall: WallTime) {
        emit(
            Line(
                time: wall, level: .warning, event: "log.suppressed", message: "lines of one event were left out",
                fields: ["of": entry.event, "count": entry.count]))
    }

    private func emit(_ line: Line) {
        let bytes = line.rendered(as: format)
        switch output {
        case .standardError: Self.write(bytes, to: STDERR_FILENO)
        case .descriptor(let descriptor): Self.write(bytes, to: descriptor)
        case .function(let function): function(bytes)
        }
    }

    /// A log that cannot be written must not stop the work it tells of, so that is not reported anywhere.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            while Glibc.write(descriptor, buffer.baseAddress, buffer.count) < 0, errno == EINTR {}
        }
    }
}

extension Log {
    public func debug(
        _ event: StaticString, _ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]
    ) { write(.debug, event, message(), fields()) }

    public func info(
        _ event: StaticString, _ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]
    ) { write(.info, event, message(), fields()) }

    public func notice(
        _ event: StaticString, _ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]
    ) { write(.notice, event, message(), fields()) }

    public func warning(
        _ event: StaticString, _ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]
    ) { write(.warning, event, message(), fields()) }

    public func error(
        _ event: StaticString, _ message: @autoclosure () -> String, _ fields: @autoclosure () -> Fields = [:]
    ) { write(.error, event, message(), fields()) }
}
