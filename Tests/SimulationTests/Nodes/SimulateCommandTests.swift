import Testing

@testable import Simulation

struct SimulateCommandTests {
    private func request(_ line: String) -> SimulateCommand.Request {
        SimulateCommand.request(line.split(separator: " ").map(String.init))
    }

    @Test func seedsAndLimitsAreRead() {
        #expect(request("--seeds 1..5") == .seeds(1...5, limit: nil))
        #expect(request("--seeds 7") == .seeds(7...7, limit: nil))
        #expect(request("--seeds 1..5 --stop-after 30") == .seeds(1...5, limit: .seconds(30)))
        #expect(request("--check-replay 2..3") == .replay(2...3))
        #expect(request("--hashes 2..3") == .hashes(2...3))
        #expect(request("--speed") == .speed)
        #expect(request("--help") == .help)
    }

    @Test func aSeedAloneIsTheScenarioDrawnForIt() {
        #expect(request("--seed 9") == .scenario(Scenario(seed: 9)))
        let line = Scenario(seed: 9).arguments.joined(separator: " ")
        #expect(request(line) == .scenario(Scenario(seed: 9)))
        #expect(request("--shrink \(line)") == .shrink(Scenario(seed: 9)))
    }

    @Test func aRunSaysWhichCommitRuns() {
        for line in ["--seeds 1..5", "--seed 9", "--shrink --seed 9", "--exhaustive", "--speed"] {
            let said = SimulateCommand.firstLine(request(line), "1a2b3c4-dirty")
            #expect(said == "simulate, commit 1a2b3c4-dirty", "\(line)")
        }
        #expect(SimulateCommand.firstLine(.speed, nil) == "simulate, commit not told")
        // Lists of hashes are compared.
        #expect(SimulateCommand.firstLine(.hashes(1...2), "1a2b3c4") == nil)
    }

    @Test(arguments: [
        "", "--seeds", "--seeds 5..1", "--seeds x", "--seeds 1..2 --stop-after 0", "--speed 1", "--seed",
        "--seed 1 --off nonsense", "--wrong", "--check-replay",
        "--hashes 3..2",
    ])
    func whatIsWrongIsSaid(line: String) {
        guard case .wrong(let reason) = request(line) else {
            Issue.record("'\(line)' was taken")
            return
        }
        #expect(!reason.isEmpty)
    }
}
