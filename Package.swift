// swift-tools-version: 6.2
import PackageDescription

/// One list for every Swift target. Warnings are errors where `CI` is set, so that a newer compiler never
/// breaks a user's build.
///
/// Planted bugs (`Sources/Envelope/Canary.swift`) are compiled only for `scripts/canaries.sh`, into a package without
/// daemons; see the end of this file.
let hasCanaries = Context.environment["GRIDRELAY_CANARIES"] != nil
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])
    + (hasCanaries ? [.define("CANARIES")] : [])

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func library(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let package = Package(
    name: "GridRelay",
    products: [
        .executable(name: "relayd", targets: ["relayd"]),
        .executable(name: "agentd", targets: ["agentd"]),
        .executable(name: "relayctl", targets: ["relayctl"]),
        .executable(name: "bench", targets: ["bench"]),
    ],
    targets: [
        // Libraries of the system, one module map each.
        library("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),
        library("CUV", pkgConfig: "libuv", apt: "libuv1-dev"),
        library("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        library("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        library("CYaml", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        library("CMicroHTTPD", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
        library("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        library("CODBC", pkgConfig: "odbc", apt: "unixodbc-dev"),
        .target(name: "CChecksum"),

        // Cores: no sockets, files, clocks, locks, tasks or loggers.
        module("Envelope", ["CChecksum", "CZlib", "CZstd"]),
        module("Crypto", ["COpenSSL", "Envelope"]),
        module("Keyring", ["Envelope", "Crypto"]),
        module("Journal", ["Envelope"]),
        module("Link", ["Envelope"]),
        module("Mesh", ["Envelope", "Link"]),
        module("AgentCore", ["Envelope", "Journal", "Link", "Mesh"]),
        module("RelayCore", ["Envelope", "Journal", "Link", "Mesh"]),

        // Shells: own the resources and drive the cores.
        module("Platform", ["CUV", "COpenSSL", "Crypto", "Envelope", "Journal"]),
        module("Node", ["CYaml", "Envelope", "Crypto", "Keyring", "Journal", "Link", "Mesh", "Platform"]),

        // Roles.
        module("Relay", ["Envelope", "Crypto", "Journal", "Link", "Mesh", "RelayCore", "Platform", "Node"]),
        module(
            "Agent", ["Envelope", "Crypto", "Keyring", "Journal", "Link", "Mesh", "AgentCore", "Platform", "Node"]),

        // Edges: what touches the world outside the mesh. They implement the protocols of the roles.
        module("Connectors", ["CODBC", "Envelope", "Crypto", "Agent", "Node", "Platform"]),
        module("Admin", ["CMicroHTTPD", "CCurl", "Node", "Envelope"]),
        module(
            "Commands",
            ["Envelope", "Crypto", "Keyring", "Journal", "Mesh", "Platform", "Node", "Admin"]),

        // Proof: a world of its own in which the cores run as in the real one.
        module(
            "Simulation",
            ["Envelope", "Crypto", "Keyring", "Journal", "Link", "Mesh", "AgentCore", "RelayCore"]),
        program("simulate", ["Simulation"]),

        // Programs, one short file each.
        program("relayd", ["Relay", "Node", "Platform", "Admin"]),
        program("agentd", ["Agent", "Node", "Connectors", "Admin", "Platform"]),
        program("relayctl", ["Commands"]),
        program("bench", ["Envelope", "Crypto", "Keyring", "Journal", "Link", "Mesh", "Platform"]),

        // What scripts/fuzz.sh feeds with made up bytes. It sees inside the modules, as tests do, so it is one: a
        // release build leaves it out.
        .testTarget(
            name: "FuzzTargets",
            dependencies: [
                "TestSupport", "Envelope", "Crypto", "Keyring", "Journal", "Link", "Mesh", "AgentCore", "Platform",
                "Node", "Relay", "Agent", "Connectors", "Admin", "Commands",
            ],
            path: "Fuzz/Targets", swiftSettings: settings),
        tests("FuzzReplayTests", ["FuzzTargets"]),

        .target(
            name: "TestSupport", dependencies: ["Envelope", "Journal", "Mesh"], path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("EnvelopeTests", ["TestSupport", "Envelope"]),
        tests("CryptoTests", ["Crypto", "COpenSSL", "Envelope"]),
        tests("KeyringTests", ["Keyring", "Envelope", "Crypto"]),
        tests("JournalTests", ["TestSupport", "Journal", "Envelope"]),
        tests("LinkTests", ["TestSupport", "Link", "Envelope"]),
        tests("SimulationTests", ["TestSupport", "Simulation", "Journal", "Link", "Mesh", "Envelope"]),
        tests("MeshTests", ["TestSupport", "Mesh", "Link", "Envelope"]),
        tests("AgentCoreTests", ["TestSupport", "AgentCore", "Journal", "Link", "Mesh", "Envelope"]),
        tests("RelayCoreTests", ["TestSupport", "RelayCore", "Journal", "Link", "Mesh", "Envelope"]),
        tests("PlatformTests", ["TestSupport", "CUV", "Platform", "Crypto", "Journal", "Envelope"]),
        tests("NodeTests", ["Node", "Crypto", "Platform", "Envelope", "Mesh"]),
        tests("ConnectorsTests", ["Connectors", "Agent", "Envelope", "Node"]),
        tests(
            "AgentTests",
            [
                "TestSupport", "Agent", "AgentCore", "Relay", "Node", "Platform", "Mesh", "Journal", "Keyring",
                "Envelope", "Crypto",
            ]),
        tests("AdminTests", ["Admin", "Node", "Envelope"]),
        tests(
            "CommandsTests",
            ["Commands", "Node", "Admin", "Keyring", "Journal", "Mesh", "Platform", "Envelope", "Crypto"]),
        tests(
            "IntegrationTests",
            ["TestSupport", "Admin", "Crypto", "Envelope", "Keyring", "Link", "Mesh", "Node", "Platform"]),
    ]
)

if hasCanaries {
    let proof: Set = [
        "COpenSSL", "CZlib", "CZstd", "CChecksum", "Envelope", "Crypto", "Keyring", "Journal", "Link", "Mesh",
        "AgentCore", "RelayCore", "Simulation", "simulate",
    ]
    package.products = []
    package.targets.removeAll { !proof.contains($0.name) }
}
