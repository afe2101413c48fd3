import Admin
import Node
import Testing

@testable import Commands

@Suite struct ParserTests {
    @Test func wrongUsageSaysWhatToDo() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topologie
            ! error: there is no command 'topologie'
            ! hint:  did you mean 'topology'?
            ? 2
            $ relayctl node
            ! error: 'node' needs one of: status, create
            ! hint:  see: relayctl help node
            ? 2
            $ relayctl node stauts
            ! error: 'node' has no 'stauts'; it has: status, create
            ! hint:  did you mean 'status'?
            ? 2
            $ relayctl topology --wacth
            ! error: 'topology' has no option '--wacth'
            ! hint:  did you mean '--watch'?
            ? 2
            $ relayctl topology --qqqqqqqqqq
            ! error: 'topology' has no option '--qqqqqqqqqq'
            ! hint:  see: relayctl help topology
            ? 2
            $ relayctl topology -o tabel
            ! error: --output takes one of table, wide, json, yaml, dot, not 'tabel'
            ! hint:  did you mean 'table'?
            ? 2
            $ relayctl queue list -o dot
            ! error: --output takes one of table, wide, json, yaml, not 'dot'
            ? 2
            $ relayctl topology --socket
            ! error: --socket needs a value: --socket PATH
            ? 2
            $ relayctl topology --socket a --socket b
            ! error: --socket is there twice
            ? 2
            $ relayctl topology --no-headers=1
            ! error: --no-headers takes no value
            ? 2
            $ relayctl topology x
            ! error: 'x' is one word too many
            ! hint:  usage: relayctl topology [options]
            ? 2
            $ relayctl topology --socket a --node b
            ! error: --socket and --node both name a node; give one of them
            ? 2
            $ relayctl topology --watch=0
            ! error: --watch takes seconds from 0.1 to 86400.0, not '0'
            ? 2
            $ relayctl send hi
            ! error: --to ZONE/NAME is missing
            ! hint:  see: relayctl help send
            ? 2
            $ relayctl config check
            ! error: FILE is missing
            ! hint:  usage: relayctl config check FILE...
            ? 2
            $ relayctl --socket x topology
            ! error: options come after the command, and '--socket' came first
            ! hint:  see: relayctl help
            ? 2
            $ relayctl help nod
            ! error: there is no command 'nod'
            ! hint:  did you mean 'node'?
            ? 2
            $ relayctl --version
            relayctl 0.1.0
            $ relayctl version
            relayctl 0.1.0
            """)
    }

    @Test func everyFailureToReachANodeSaysWhatToDo() throws {
        let stage = try Stage { request in
            .problem(status: 503, "not yet", hint: "wait")
        }
        stage.play(
            """
            $ relayctl topology
            ! error: not yet
            ! hint:  wait
            ? 1
            $ relayctl topology --socket DIR/none
            ! error: there is no admin socket DIR/none
            ! hint:  is the daemon running, and is this the socket in its configuration?
            ? 1
            $ relayctl topology --node DIR
            ! error: there is no DIR/node.yaml
            ! hint:  give the directory of one node, as 'relayctl config render' made it
            ? 1
            """)
        let outcome = stage.run(["topology"], environment: [:])
        #expect(outcome.code == .usage)
        #expect(outcome.talk.contains("--socket PATH or RELAY_SOCKET, or its directory by --node DIR"))
    }

    @Test(arguments: [
        ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("kitten", "sitting", 3),
        ("ca", "abc", 3),
    ])
    func distance(_ left: String, _ right: String, _ expected: Int) {
        #expect(Suggestion.distance(left, right) == expected)
        #expect(Suggestion.distance(right, left) == expected)
    }

    @Test func optionsMayStandAnywhere() throws {
        let commands = CommandTable.commands
        func parsed(_ words: String...) throws -> Invocation {
            guard case .run(let invocation) = try Parser(commands: commands).parse(words) else {
                throw Failure("not a command line to run")
            }
            return invocation
        }
        let first = try parsed("send", "text", "--to=a/b", "--wait", "--timeout", "3")
        #expect(first.arguments == ["text"])
        #expect(first.options == ["--to": ["a/b"], "--wait": ["60"], "--timeout": ["3"]])
        let second = try parsed("send", "--wait", "7", "--to", "a/b", "--", "-x")
        #expect(second.arguments == ["-x"])
        #expect(second.options == ["--wait": ["7"], "--to": ["a/b"]])
    }
}
