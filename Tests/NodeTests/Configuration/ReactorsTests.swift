import Testing

@testable import Node

struct ReactorsTests {
    @Test(arguments: [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (8, 4), (16, 8), (17, 8), (256, 8)])
    func automaticallyHalfOfTheCoresWhereThereAreFour(cores: Int, count: Int) {
        #expect(NodeConfiguration.Reactors.automatic.count(cores: cores) == count)
    }

    @Test(arguments: [1, 2, 64]) func aNumberIsTaken(count: Int) throws {
        let read = try ConfigurationFormat<NodeConfiguration.Reactors>.reactors.read("\(count)")
        #expect(read == .fixed(count))
        #expect(read.count(cores: 1) == count)
    }

    @Test func aChangeNeedsARestart() throws {
        let before = try NodeConfigurationTests.decode(NodeConfigurationTests.relay)
        var after = before
        after.reactors = .automatic
        #expect(before.reactors != after.reactors)
        #expect(before.keysNeedingRestart(after) == ["reactors"])
        #expect(before.keysNeedingRestart(before) == [])
    }
}
