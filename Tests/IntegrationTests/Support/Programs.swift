import Glibc

/// The programs under test: the ones that were built with this test, from the directory it lies in.
enum Program: String {
    case relayd
    case agentd
    case relayctl

    var path: String {
        get throws {
            let path = try Self.directory() + "/" + rawValue
            guard access(path, X_OK) == 0 else {
                throw SystemFailure(text: "\(path) is missing; build everything with: swift build --build-tests")
            }
            return path
        }
    }

    private static func directory() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw SystemFailure("readlink /proc/self/exe") }
        let executable = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return executable.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    }
}

/// What a command said and how it ended.
struct CommandResult {
    var ending: Ending
    var output: String
}

/// Runs a command to its end. It is for commands that are over at once; one that hangs is ended after `limit`.
func run(
    _ arguments: [String], in directory: String = "/tmp", environment: [String: String] = [:],
    within limit: Duration = .seconds(60)
) async throws -> CommandResult {
    let place = try TemporaryDirectory()
    let output = place.path("output")
    let process = try ChildProcess(arguments, output: output, directory: directory, environment: environment)
    try await eventually("\(arguments[0]) ends", within: limit) { !process.isRunning }
    guard let ending = process.end else { throw SystemFailure(text: "\(arguments[0]) has no end") }
    return CommandResult(ending: ending, output: place.text("output") ?? "")
}

/// Runs a command that must succeed.
@discardableResult
func mustRun(_ arguments: [String], in directory: String = "/tmp") async throws -> String {
    let result = try await run(arguments, in: directory)
    guard result.ending == .exit(0) else {
        throw SystemFailure(text: "\(arguments.joined(separator: " ")): \(result.ending): \(result.output)")
    }
    return result.output
}
