import Testing

@testable import Node

@Suite struct YAMLEnvironmentTests {
    private let environment = YAMLEnvironment(["HOME_1": "/h", "EMPTY": "", "SECRET": "s3cr3t", "DOLLARS": "$$x${A}"])

    @Test(arguments: [
        ("plain", "plain"),
        ("${HOME_1}/x", "/h/x"),
        ("a${HOME_1}b${HOME_1}", "a/hb/h"),
        ("${UNSET:-fallback}", "fallback"),
        ("${UNSET:-}", ""),
        ("${EMPTY:-fallback}", "fallback"),
        ("${EMPTY}", ""),
        ("${HOME_1:-fallback}", "/h"),
        ("${UNSET:-a:-b}", "a:-b"),
        ("$${HOME_1}", "${HOME_1}"),
        ("$$$$", "$$"),
        ("$5 and 5$", "$5 and 5$"),
        ("${DOLLARS}", "$$x${A}"),
    ])
    func expands(raw: String, text: String) throws {
        #expect(try environment.expand(raw) == text)
    }

    @Test(arguments: [
        ("${UNSET}", "the environment variable UNSET is not set; set it, or write ${UNSET:-default}"),
        ("${HOME_1", "'${' without '}'; write ${NAME}, or $${ for the characters themselves"),
        ("${}", "'${}' names no variable; write ${NAME} or ${NAME:-default}"),
        ("${1A}", "'${1A}' names no variable; write ${NAME} or ${NAME:-default}"),
        ("${A-B}", "'${A-B}' names no variable; write ${NAME} or ${NAME:-default}"),
    ])
    func refuses(raw: String, message: String) {
        let error = #expect(throws: YAMLEnvironment.Failure.self) { try environment.expand(raw) }
        #expect(error?.text == message)
    }

    @Test func boundsWhatVariablesComeTo() throws {
        let long = YAMLEnvironment(["L": String(repeating: "x", count: 40_000)])
        #expect(try long.expand("${L}").utf8.count == 40_000)
        #expect(throws: YAMLEnvironment.Failure.self) { try long.expand("${L}${L}") }
        let lines = (0..<200).map { "k\($0): ${L}" }.joined(separator: "\n")
        let node = try YAMLNode.parse(Array(lines.utf8), file: "f.yaml", environment: long)
        #expect(node["k0"]?.scalar?.problem == nil)
        #expect(node["k199"]?.scalar?.problem == "the file's variables come to more than 4194304 bytes")
    }

    @Test func anUnsetVariableIsAnErrorOnlyWhereItIsRead() throws {
        let node = try YAMLNode.parse(
            Array("a: ${UNSET}\nb: ${SECRET}\n".utf8), file: "f.yaml", environment: environment)
        let reader = ConfigurationReader(node)
        _ = reader.verbatim("a")
        _ = reader.required("b", .integer())
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(error?.description == "f.yaml:2:4: b: '${SECRET}' is not a whole number; write digits, such as 0")
        let second = ConfigurationReader(node)
        _ = second.required("a", .string)
        _ = second.required("b", .string)
        let unset = #expect(throws: ConfigurationError.self) { try second.finish() }
        #expect(
            unset?.description
                == "f.yaml:1:4: a: the environment variable UNSET is not set; set it, or write ${UNSET:-default}")
    }

    @Test func readsTheEnvironmentOfTheProcess() {
        #expect(YAMLEnvironment.process["PATH"]?.isEmpty == false)
        #expect(YAMLEnvironment.process["GRIDRELAY_SURELY_NOT_SET"] == nil)
    }
}
