import Envelope
import Glibc

/// A running node of a demo, held by a descriptor: a signal to it never meets a stranger that was given its number.
final class MeshProcess: Sendable {
    let identifier: pid_t
    /// The configuration on its command line.
    let configuration: String
    let isAgent: Bool
    /// -1 where the system has no such descriptors.
    private let descriptor: Int32

    /// nil where there is no such process, or it is no node with a configuration below this directory.
    init?(_ identifier: pid_t, below directory: String) {
        // Held first and looked at then, so that what was looked at is what is held.
        let descriptor = Self.hold(identifier)
        guard let (program, configuration) = Self.commandLine(of: identifier, below: directory) else {
            if descriptor >= 0 { close(descriptor) }
            return nil
        }
        (self.identifier, self.configuration, self.descriptor) = (identifier, configuration, descriptor)
        isAgent = program == "agentd"
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Every node that runs with a configuration below this directory, whoever started it.
    static func living(below directory: String) -> [MeshProcess] {
        DirectoryTree.names(in: "/proc").compactMap { pid_t($0) }.sorted().compactMap {
            MeshProcess($0, below: directory)
        }
    }

    func signal(_ number: Int32) {
        if descriptor >= 0, let send = Self.sendFunction {
            _ = send(descriptor, number, nil, 0)
        } else if isAlive {
            kill(identifier, number)
        }
    }

    var isAlive: Bool { !hasEnded(within: .zero) }

    /// Waits for the end of the process.
    /// - Returns: false where it lives on.
    func hasEnded(within patience: Duration) -> Bool {
        defer {
            // A child of this process stays in the table until somebody asks for its end.
            var status: Int32 = 0
            waitpid(identifier, &status, WNOHANG)
        }
        let milliseconds = Int32(clamping: patience.wholeMilliseconds)
        guard descriptor >= 0 else {
            var rest = milliseconds
            while Self.commandLine(of: identifier, below: "/")?.configuration == configuration {
                guard rest > 0 else { return false }
                poll(nil, 0, 20)
                rest -= 20
            }
            return true
        }
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, milliseconds) > 0
    }

    /// Ends all of them: asked at first, after the time-out by force.
    static func end(_ processes: [MeshProcess], patience: Duration) {
        for process in processes { process.signal(SIGTERM) }
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        for process in processes where !process.hasEnded(within: max(.zero, deadline - clock.now)) {
            process.signal(SIGKILL)
            _ = process.hasEnded(within: .seconds(5))
        }
    }

    /// nil for everything but a node's daemon with a configuration below the directory.
    private static func commandLine(
        of identifier: pid_t, below directory: String
    ) -> (program: String, configuration: String)? {
        guard let bytes = try? LocalFile.read("/proc/\(identifier)/cmdline", limit: 64 << 10) else { return nil }
        let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 3, words[1] == "--config", words[2].hasPrefix(directory == "/" ? "/" : directory + "/"),
            let program = words[0].split(separator: "/").last.map(String.init), ["relayd", "agentd"].contains(program)
        else { return nil }
        return (program, words[2])
    }

    // The functions are in the C library since 2.36, and not in Swift's map of its headers.
    private typealias OpenFunction = @convention(c) (pid_t, UInt32) -> Int32
    private typealias SendFunction =
        @convention(c) (Int32, Int32, UnsafeMutableRawPointer?, UInt32) -> Int32

    private static func hold(_ identifier: pid_t) -> Int32 {
        guard let symbol = dlsym(nil, "pidfd_open") else { return -1 }
        return unsafeBitCast(symbol, to: OpenFunction.self)(identifier, 0)
    }

    private static var sendFunction: SendFunction? {
        dlsym(nil, "pidfd_send_signal").map { unsafeBitCast($0, to: SendFunction.self) }
    }
}
