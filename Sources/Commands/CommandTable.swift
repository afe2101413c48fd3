/// Every command there is, in the order of the help. Help, completion and the manual are made from it.
enum CommandTable {
    static let nouns: [Noun] = [
        Noun(name: "ca", summary: "the authority that a mesh trusts"),
        Noun(name: "key", summary: "the keys that agents seal with"),
        Noun(name: "config", summary: "configuration files and topologies"),
        Noun(name: "node", summary: "one node: its status, its identity"),
        Noun(name: "queue", summary: "what waits"),
        Noun(name: "flow", summary: "what each flow holds and may"),
        Noun(name: "plan", summary: "what would happen"),
        Noun(name: "journal", summary: "the journal of a stopped node"),
        Noun(name: "demo", summary: "a mesh of three zones on this machine, to look at"),
        Noun(name: "completion", summary: "completion for a shell"),
    ]

    static let commands: [Command] = [
        Topology.command,
        NodeStatusShow.command,
        QueueList.command,
        FlowList.command,
        PlanOutage.command,
        JournalStat.command,
        JournalVerify.command,
        Send.command,
        Receive.command,
        ConfigCheck.command,
        ConfigRender.command,
        AuthorityCreate.command,
        NodeCreate.command,
        KeyCreate.command,
        KeyGrantCreate.command,
        DemoRun.command,
        DemoUp.command,
        DemoStatus.command,
        DemoDown.command,
        CompletionScript.bash,
        CompletionScript.zsh,
        CompletionScript.fish,
        Version.command,
        Help.command,
    ]
}
