import Envelope
import Glibc
import Mesh
import Platform

/// A node's running part, driven by ``Daemon``. Everything is called on the reactor's thread.
public protocol DaemonService: AnyObject {
    /// - Throws: an error that tells a person why the node cannot start.
    func start() throws
    /// Takes over what can change while running.
    /// - Throws: why it cannot; the old configuration then stays in force.
    func reload(_ configuration: NodeConfiguration) throws
    /// A reload was asked for and came to nothing, perhaps before ``reload(_:)``; the status should say so.
    func reloadFailed(_ reason: String)
    /// Brings everything to safety, then calls `done`.
    func stop(_ done: @escaping () -> Void)
}

/// What a service is given to start from.
public struct DaemonStart {
    public let reactor: Reactor
    /// Threads for what links cost; nil where the reactor does that too.
    public var carriers: Carriers?
    public let configuration: NodeConfiguration
    public let identity: NodeIdentity
    public let log: Log
    public let admin: any AdminEndpoint
}

/// The life of a node's process: arguments, configuration, signals, clean end.
public enum Daemon {
    /// Runs until the process is told to stop.
    ///
    /// - Parameters:
    ///   - check: finds what is wrong with a configuration beyond what its file says alone, such as a connector's keys.
    /// - Returns: the exit status: 0 a clean end, 1 failed, 2 wrong usage, 4 bad configuration.
    public static func run(
        _ arguments: [String], name: String, role: NodeConfiguration.Role, admin: any AdminEndpoint,
        check: @escaping (NodeConfiguration) throws -> Void = { _ in },
        makeService: (DaemonStart) throws -> any DaemonService
    ) -> Int32 {
        switch DaemonArguments(arguments) {
        case .help:
            print(DaemonArguments.help(name))
            return 0
        case .version:
            print("\(name) \(Software.version)")
            return 0
        case .wrong(let text):
            complain("\(name): \(text)\n\(DaemonArguments.usage(name))")
            return 2
        case .check(let path):
            guard let configuration = load(path, role, check) else { return 4 }
            do throws(IdentityError) {
                _ = try NodeIdentity.load(configuration.identity, expecting: configuration.node)
            } catch {
                complain("\(path): \(error)")
                return 4
            }
            print("\(path): ok (\(configuration.role) \(configuration.node))")
            return 0
        case .run(let path):
            guard let configuration = load(path, role, check) else { return 4 }
            return serve(path, configuration, role, admin, check, makeService)
        }
    }

    private static func load(
        _ path: String, _ role: NodeConfiguration.Role, _ check: (NodeConfiguration) throws -> Void
    ) -> NodeConfiguration? {
        do {
            let configuration = try NodeConfiguration.load(path: path)
            guard configuration.role == role else {
                complain("\(path): this is the configuration of a \(configuration.role), not of a \(role)")
                return nil
            }
            try check(configuration)
            return configuration
        } catch {
            complain("\(error)")
            return nil
        }
    }

    // Above this line configuration is only read; below it the system is touched.

    private static func serve(
        _ path: String, _ configuration: NodeConfiguration, _ role: NodeConfiguration.Role, _ admin: any AdminEndpoint,
        _ check: @escaping (NodeConfiguration) throws -> Void, _ makeService: (DaemonStart) throws -> any DaemonService
    ) -> Int32 {
        Process.ignoreSIGPIPE()
        Process.hardenMemory()
        umask(0o077)
        let log = Log(configuration.log)
        do {
            let identity = try NodeIdentity.load(configuration.identity, expecting: configuration.node)
            let reactor = try Reactor()
            let reactors = configuration.reactors.count(cores: Process.cores)
            let carriers = reactors > 1 ? try Carriers(reactor, count: reactors) : nil
            let service = try makeService(
                DaemonStart(
                    reactor: reactor, carriers: carriers, configuration: configuration, identity: identity, log: log,
                    admin: admin))
            try watchSignals(reactor, service, path, role, log, check)
            try service.start()
            log.info("started", "\(role) \(configuration.node) runs", ["version": Software.version, "pid": getpid()])
            ServiceManager.notify(.ready)
            reactor.run()
            reactor.shutDown()
            carriers?.stop()
            log.info("stopped", "\(role) \(configuration.node) has stopped")
            log.flush()
            return 0
        } catch {
            log.error("failed", "cannot run: \(error)")
            return 1
        }
    }

    private static func watchSignals(
        _ reactor: Reactor, _ service: any DaemonService, _ path: String, _ role: NodeConfiguration.Role, _ log: Log,
        _ check: @escaping (NodeConfiguration) throws -> Void
    ) throws {
        var isStopping = false
        for signal in [SIGTERM, SIGINT] {
            try reactor.onSignal(signal) {
                guard !isStopping else { return }
                isStopping = true
                log.info("stopping", "stopping; what is on its way is brought to safety first")
                ServiceManager.notify(.stopping)
                service.stop { reactor.stop() }
            }
        }
        try reactor.onSignal(SIGHUP) {
            ServiceManager.notify(.reloading)
            do {
                let configuration = try NodeConfiguration.load(path: path)
                guard configuration.role == role else { throw ReloadError.otherRole }
                try check(configuration)
                try service.reload(configuration)
                log.notice("reloaded", "the configuration was read anew")
            } catch {
                service.reloadFailed("\(error)")
                log.error("reload.failed", "the old configuration stays in force: \(error)")
            }
            ServiceManager.notify(.ready)
        }
    }

    private static func complain(_ text: String) {
        var line = text + "\n"
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Why a new configuration is not taken over.
public enum ReloadError: Error, Equatable, CustomStringConvertible {
    case otherRole
    case needsRestart([String])
    case stopping

    public var description: String {
        switch self {
        case .otherRole: "the file now describes a node of another role"
        case .stopping: "the node is stopping"
        case .needsRestart(let keys): "a restart is needed for a change of: \(keys.joined(separator: ", "))"
        }
    }
}

/// What a daemon was asked to do.
enum DaemonArguments: Equatable {
    case run(String)
    case check(String)
    case version
    case help
    case wrong(String)

    init(_ arguments: [String]) {
        var path: String?
        var isCheck = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--check-config": isCheck = true
            case "--config", "-c":
                guard let value = rest.popFirst() else {
                    self = .wrong("--config needs a file")
                    return
                }
                path = value
            default:
                guard argument.hasPrefix("--config=") else {
                    self = .wrong("unknown argument '\(argument)'")
                    return
                }
                path = String(argument.dropFirst("--config=".count))
            }
        }
        guard let path else {
            self = .wrong("which configuration? add --config FILE")
            return
        }
        guard !path.isEmpty else {
            self = .wrong("--config needs a file")
            return
        }
        self = isCheck ? .check(path) : .run(path)
    }

    static func usage(_ name: String) -> String {
        "usage: \(name) --config FILE [--check-config] | --version | --help"
    }

    static func help(_ name: String) -> String {
        """
        \(usage(name))

          --config FILE    the node's configuration (YAML; see docs/configuration.md)
          --check-config   check the configuration and the files it names, then exit: 0 good, 4 bad
          --version        print the version
          --help           print this

        Signals: SIGTERM stops cleanly, SIGHUP reads the configuration anew.

        Example:
          \(name) --config /etc/gridrelay/node.yaml
        """
    }
}

extension Log {
    convenience init(_ configuration: NodeConfiguration.LogConfiguration) {
        self.init(
            level: Level(configuration.level.description) ?? .info,
            format: Format(rawValue: configuration.format.description) ?? .text)
    }
}
