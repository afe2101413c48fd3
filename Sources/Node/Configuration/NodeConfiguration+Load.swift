import Envelope

extension NodeConfiguration {
    /// Reads and checks a node's file from memory.
    /// - Parameter file: the path it is known by; relative paths in it are taken from its directory.
    public static func decode(
        _ bytes: [UInt8], file: String, environment: YAMLEnvironment = .process
    ) throws(ConfigurationError) -> NodeConfiguration {
        let reader = ConfigurationReader(try YAMLNode.parse(bytes, file: file, environment: environment))
        let configuration = NodeConfiguration(reader)
        configuration.check(reader)
        try reader.finish()
        return configuration
    }

    /// Reads the keys; problems stay with the reader.
    init(_ reader: ConfigurationReader) {
        node = reader.required("node", .nodeName)
        role = reader.required("role", .word())
        identity = reader.nested("identity") { identity in
            IdentityFiles(
                certificate: identity.required("certificate", .path), key: identity.required("key", .path),
                authority: identity.required("authority", .path))
        }
        listen = reader.list("listen", Address.init)
        links = reader.list("links", LinkConfiguration.init)
        attach = reader.list("attach", of: .nodePattern)
        flows = reader.list("flows", FlowConfiguration.init)
        store = reader.nested("store") { StoreConfiguration($0, defaultDirectory: nil) }
        durability = reader.value("durability", .word(), default: .cutThrough)
        quotas = reader.nestedIfPresent("quotas", QuotaConfiguration.init) ?? QuotaConfiguration()
        history = reader.nestedIfPresent("history", HistoryConfiguration.init) ?? HistoryConfiguration()
        holdTime = Self.holdTime(reader)
        memory = reader.value("memory", .memory, default: 64 << 20)
        reactors = reader.value("reactors", .reactors, default: .automatic)
        adminSocket = Self.adminSocket(reader)
        metrics = Self.metrics(reader)
        log = reader.nestedIfPresent("log", LogConfiguration.init) ?? LogConfiguration(level: .info, format: .text)
        lifetime = reader.value("lifetime", .lifetime, default: .seconds(7 * 86_400))
        resendAfter = reader.value("resendAfter", .resendAfter, default: .seconds(60))
        agent = AgentConfiguration(reader, role: role)
    }

    static func holdTime(_ reader: ConfigurationReader) -> ClosedRange<Duration> {
        let range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(60)
        let (shortest, longest) = (Duration.milliseconds(20), Duration.seconds(2))
        let bounds = reader.nestedIfPresent("holdTime") { hold in
            let minimum = hold.value("minimum", .duration(in: range), default: shortest)
            let maximum = hold.value("maximum", .duration(in: range), default: max(longest, minimum))
            if minimum > maximum { hold.report("is longer than maximum; write the shorter time first", at: "minimum") }
            return minimum...max(minimum, maximum)
        }
        return bounds ?? shortest...longest
    }

    /// Anybody who reaches the port can ask, so only this machine may.
    static func metrics(_ reader: ConfigurationReader) -> Address? {
        let listen = reader.nestedIfPresent("metrics") { metrics in
            let address = metrics.nested("listen", Address.init)
            if !address.isNumericLoopback {
                metrics.report(
                    "metrics are served without a password, so only to this machine; write host: 127.0.0.1 or ::1, and "
                        + "let a collector on this machine carry them on", at: "listen")
            }
            return address
        }
        return listen
    }

    private static func adminSocket(_ reader: ConfigurationReader) -> String {
        let directory = reader.node.mark.directory
        let besideFile = directory == "." ? "admin.sock" : "\(directory)/admin.sock"
        let path = reader.nestedIfPresent("admin") { $0.value("socket", .path, default: besideFile) } ?? besideFile
        let length = path.utf8.count
        if length > socketPathBytes {
            reader.report(
                "the socket's path has \(length) bytes, Linux allows \(socketPathBytes); write a shorter one in "
                    + "admin.socket, such as /run/gridrelay/admin.sock", at: "admin")
        }
        return path
    }
}
