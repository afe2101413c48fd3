import Testing

@testable import Node

@Suite struct DaemonArgumentsTests {
    @Test(arguments: [
        (["--config", "a.yaml"], DaemonArguments.run("a.yaml")), (["-c", "a.yaml"], .run("a.yaml")),
        (["--config=a.yaml"], .run("a.yaml")), (["--config=a=b.yaml"], .run("a=b.yaml")),
        (["--config", "a.yaml", "--check-config"], .check("a.yaml")),
        (["--check-config", "-c", "a.yaml"], .check("a.yaml")), (["--version"], .version), (["--help"], .help),
        (["-h"], .help), (["--config", "a.yaml", "--help"], .help),
        ([], .wrong("which configuration? add --config FILE")),
        (["--check-config"], .wrong("which configuration? add --config FILE")),
        (["--config"], .wrong("--config needs a file")), (["a.yaml"], .wrong("unknown argument 'a.yaml'")),
        (["-c", "a.yaml", "--fast"], .wrong("unknown argument '--fast'")),
        (["--config="], .wrong("--config needs a file")), (["--config", ""], .wrong("--config needs a file")),
    ])
    func readsArguments(arguments: [String], meaning: DaemonArguments) {
        #expect(DaemonArguments(arguments) == meaning)
    }
}
