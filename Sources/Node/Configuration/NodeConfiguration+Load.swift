import Envelope

extension NodeConfiguration {
    /// Reads and checks a node's file.
    /// - Throws: ``ConfigurationError`` with everything that is wrong, also where the file cannot be read.
    public static func load(
        path: String, environment: YAMLEnvironment = .process
    ) throws(ConfigurationError) -> NodeConfiguration {
        try decode(ConfigurationFile.read(path), file: path, environment: environment)
    }

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
        listen = reader.list("listen") { Address($0, hostDefault: nil) }
        links = reader.list("links", LinkConfiguration.init)
        attach = reader.list("attach", of: .nodePattern)
        flows = reader.list("flows", FlowConfiguration.init)
        store = reader.nested("store", StoreConfiguration.init)
        durability = reader.value("durability", .word(), default: .cutThrough)
        holdTime = Self.holdTime(reader)
        memory = reader.value("memory", .byteSize(in: (1 << 20)...(1 << 40)), default: 64 << 20)
        adminSocket = Self.adminSocket(reader)
        log = reader.nestedIfPresent("log", LogConfiguration.init) ?? LogConfiguration(level: .info, format: .text)
        lifetime = reader.value("lifetime", .lifetime, default: .seconds(7 * 86_400))
        resendAfter = reader.value(
            "resendAfter", .duration(in: .seconds(1) ... .seconds(86_400)), default: .seconds(60))
        agent = AgentConfiguration(reader, role: role)
    }

    private static func holdTime(_ reader: ConfigurationReader) -> ClosedRange<Duration> {
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

extension ConfigurationFormat where Value == Duration {
    /// How long an envelope lives: whole seconds in the header, so at least one.
    static var lifetime: Self { .duration(in: .seconds(1)...NodeConfiguration.longestLifetime) }
}

extension ConfigurationFormat where Value == String {
    /// The name of a job, sink or flow: letters, digits, `.`, `_` and `-`.
    static var label: Self { label(length: Limits.nameLength) }

    static func label(length: Int) -> Self {
        Self(provisional: "") { text, _ throws(Mismatch) in
            guard !text.isEmpty, text.utf8.count <= length, text.utf8.allSatisfy(isLabelCharacter) else {
                throw Mismatch("is no name; write 1 to \(length) letters, digits, '.', '_' or '-'")
            }
            return text
        }
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A host's name or address: no spaces, no port.
    static var host: Self {
        Self(provisional: "") { text, _ throws(Mismatch) in
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }
            let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
            guard !text.isEmpty, isPlain, text.utf8.count <= 253, colons != 1, !text.hasPrefix("[") else {
                throw Mismatch("is no host; write a name or an address without a port, such as 10.0.0.5 or fd00::5")
            }
            return text
        }
    }
}

extension NodeConfiguration.Address {
    /// - Parameter hostDefault: nil where the host must be written.
    init(_ reader: ConfigurationReader, hostDefault: String?) {
        host = hostDefault.map { reader.value("host", .host, default: $0) } ?? reader.required("host", .host)
        port = UInt16(reader.required("port", .integer(in: 1...65_535)))
    }
}

extension NodeConfiguration.StoreConfiguration {
    init(_ reader: ConfigurationReader) {
        directory = reader.required("directory", .path)
        maxBytes = reader.value("maxBytes", .byteSize(in: (64 << 20)...Int.max), default: 10 << 30)
        segmentBytes = reader.value("segmentBytes", .byteSize(in: (32 << 20)...(1 << 30)), default: 64 << 20)
        // Recovery, cleaning and the segment being written need one each beside one that holds data.
        if maxBytes / 4 < segmentBytes {
            let least = Quantity.spell(bytes: 4 * segmentBytes)
            reader.report(
                "has no room for four segments; write \(least) or more, or smaller segmentBytes", at: "maxBytes")
        }
    }
}

extension NodeConfiguration.LogConfiguration {
    init(_ reader: ConfigurationReader) {
        level = reader.value("level", .word(), default: .info)
        format = reader.value("format", .word(), default: .text)
    }
}

extension LinkConfiguration {
    init(_ reader: ConfigurationReader) {
        peer = reader.required("peer", .nodeName)
        dial = reader.nestedIfPresent("dial") { NodeConfiguration.Address($0, hostDefault: nil) }
        cost = reader.value("cost", .integer(in: 1...65_535), default: 10)
        proxy = reader.nestedIfPresent("proxy", ProxyConfiguration.init)
        if proxy != nil, dial == nil {
            reader.report("a proxy is for dialling; write dial beside it, or leave the proxy out", at: "proxy")
        }
    }
}

extension ProxyConfiguration {
    init(_ reader: ConfigurationReader) {
        address = NodeConfiguration.Address(reader, hostDefault: nil)
        user = reader.optional("user", .string)
        password = reader.optional("password", .secret)
        if password != nil, user == nil { reader.report("a password without a user; write user beside it") }
    }
}

extension FlowConfiguration {
    init(_ reader: ConfigurationReader) {
        name = reader.required("name", .label)
        from = reader.list("from", of: .nodePattern)
        to = reader.list("to", of: .nodePattern)
        lane = reader.value("lane", .word(), default: .live)
        limit = reader.optional("limit", .byteRate())
        for key in ["from", "to"] where reader.isEmptyList(key) {
            reader.report("names no node; write a list such as [plant-a/*]", at: key)
        }
    }
}
