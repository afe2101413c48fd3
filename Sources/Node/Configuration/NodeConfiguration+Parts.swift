import Envelope

extension NodeConfiguration.Address {
    init(_ reader: ConfigurationReader) {
        host = reader.required("host", .host)
        port = UInt16(reader.required("port", .integer(in: 1...65_535)))
    }
}

extension NodeConfiguration.StoreConfiguration {
    /// - Parameter defaultDirectory: nil where the directory must be written.
    init(_ reader: ConfigurationReader, defaultDirectory: String?) {
        directory =
            defaultDirectory.map { reader.value("directory", .path, default: $0) }
            ?? reader.required("directory", .path)
        maxBytes = reader.value("maxBytes", .byteSize(in: (64 << 20)...Int.max), default: 10 << 30)
        segmentBytes = reader.value("segmentBytes", .byteSize(in: (32 << 20)...(1 << 30)), default: 32 << 20)
        // Recovery, cleaning and the segment being written need one each beside one that holds data.
        if maxBytes / 4 < segmentBytes {
            let least = Quantity.spell(bytes: 4 * segmentBytes)
            reader.report(
                "has no room for four segments; write \(least) or more, or smaller segmentBytes", at: "maxBytes")
        }
    }
}

extension NodeConfiguration.QuotaConfiguration {
    init(_ reader: ConfigurationReader) {
        live = reader.nestedIfPresent("live", Bounds.init) ?? Bounds()
        bulk = reader.nestedIfPresent("bulk", Bounds.init) ?? Bounds()
        source = reader.nestedIfPresent("source", Bounds.init) ?? Bounds()
    }
}

extension NodeConfiguration.QuotaConfiguration.Bounds {
    init(_ reader: ConfigurationReader) {
        maxBytes = reader.optional("maxBytes", .byteSize(in: 1...Int.max))
        maxEnvelopes = reader.optional("maxEnvelopes", .integer(in: 1...Int.max))
        maxAge = reader.optional("maxAge", .lifetime)
    }
}

extension NodeConfiguration.HistoryConfiguration {
    init(_ reader: ConfigurationReader) {
        after = reader.value("after", .lifetime, default: after)
        share = reader.value("share", .integer(in: 1...99), default: share)
        rate = reader.optional("rate", .byteRate())
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
        dial = reader.nestedIfPresent("dial", NodeConfiguration.Address.init)
        role = reader.value("role", .word(), default: .relay)
        cost = reader.value("cost", .integer(in: 1...65_535), default: 10)
        proxy = reader.nestedIfPresent("proxy", ProxyConfiguration.init)
        if proxy != nil, dial == nil {
            reader.report("a proxy is for dialling; write dial beside it, or leave the proxy out", at: "proxy")
        }
    }
}

extension ProxyConfiguration {
    init(_ reader: ConfigurationReader) {
        address = NodeConfiguration.Address(reader)
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
        quota = NodeConfiguration.QuotaConfiguration.Bounds(reader)
        durability = reader.optional("durability", .word())
        for key in ["from", "to"] where reader.isEmptyList(key) {
            reader.report("names no node; write a list such as [plant-a/*]", at: key)
        }
    }
}
