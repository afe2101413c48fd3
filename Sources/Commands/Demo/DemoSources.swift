import Glibc

/// What a demo is made of: the programs beside this one, the topology and the data of the project.
struct DemoSources: Sendable {
    static let topologyName = "topology/plant-dmz-plant.yaml"
    static let temperaturesName = "data/seattle-temps.csv"
    static let weatherName = "data/seattle-weather.csv"

    var relayd: String
    var agentd: String
    var topology: String
    var temperatures: String
    var weather: String

    /// - Parameter searchPath: as PATH has it.
    init(searchPath: String) throws(Failure) {
        let programs = Self.ownDirectory
        relayd = try Self.program("relayd", beside: programs, searchPath)
        agentd = try Self.program("agentd", beside: programs, searchPath)
        let directory = try Self.resources(programs)
        topology = directory + "/" + Self.topologyName
        temperatures = directory + "/" + Self.temperaturesName
        weather = directory + "/" + Self.weatherName
    }

    private static var ownDirectory: String {
        guard let path = realpath("/proc/self/exe", nil) else { return "." }
        defer { free(path) }
        return String(cString: path).split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }

    private static func program(
        _ name: String, beside directory: String, _ searchPath: String
    ) throws(Failure) -> String {
        let directories = [directory] + searchPath.split(separator: ":").map(String.init)
        guard let found = directories.first(where: { access($0 + "/" + name, X_OK) == 0 }) else {
            throw Failure(
                "there is no \(name) beside relayctl or in PATH",
                hint: "build it (swift build -c release), or put its directory into PATH")
        }
        return found + "/" + name
    }

    /// The project's directory above the build's, the working directory, or where `make install` puts them.
    private static func resources(_ programs: String) throws(Failure) -> String {
        var candidates = ["."]
        var above = programs[...]
        while let slash = above.lastIndex(of: "/") {
            candidates.append(String(above))
            above = above[..<slash]
        }
        candidates.append(programs + "/../share/gridrelay")
        let names = [topologyName, temperaturesName, weatherName]
        let found = candidates.first { directory in names.allSatisfy { LocalFile.exists(directory + "/" + $0) } }
        guard let found else {
            throw Failure(
                "cannot find \(topologyName) and the data of the demo", hint: "run it from the project's directory")
        }
        return found
    }
}
