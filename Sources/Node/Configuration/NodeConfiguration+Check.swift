import Envelope

extension NodeConfiguration {
    /// Notes what no single key tells. Runs only on a file whose keys are all right, so that no problem follows from
    /// another.
    func check(_ reader: ConfigurationReader) {
        reader.rejectUnknownKeys()
        guard reader.isFaultless else { return }
        checkListen(reader)
        checkLinks(reader)
        checkFlows(reader)
        switch role {
        case .relay: break
        case .agent: checkAgent(reader)
        }
    }

    private func checkListen(_ reader: ConfigurationReader) {
        reader.reportRepeated("listen", listen.map(\.description)) { "listens on \($0) already" }
    }

    private func checkLinks(_ reader: ConfigurationReader) {
        reader.reportRepeated("links", links.map(\.peer.description)) { "is a link to \($0) already; keep one of them" }
        let direct = links.map { $0.proxy == nil ? $0.dial?.description : nil }
        reader.reportRepeated("links", direct) { "dials \($0) already; two peers cannot be at one address" }
        for (index, link) in links.enumerated() {
            if link.peer == node {
                reader.report(
                    "a link to this node itself; write another node's name", atItem: index, of: "links", "peer")
            }
            if link.dial == nil, listen.isEmpty {
                reader.report(
                    "nobody dials on this link: write dial: {host: …, port: …}, or listen for \(link.peer) to dial in",
                    atItem: index, of: "links")
            }
        }
    }

    private func checkFlows(_ reader: ConfigurationReader) {
        reader.reportRepeated("flows", flows.map(\.name)) { "is a flow '\($0)' already; choose another name" }
    }

    private func checkAgent(_ reader: ConfigurationReader) {
        guard let agent else { return }
        if links.isEmpty {
            reader.report("an agent needs a link to a relay; write links: with peer and dial", at: "links")
        }
        if !attach.isEmpty {
            reader.report("agents attach to relays only; leave it out, or write role: relay", at: "attach")
        }
        agent.check(reader, of: node)
    }
}

extension ConfigurationReader {
    /// True for a key whose list is absent or has no items.
    func isEmptyList(_ key: String) -> Bool {
        guard let node = node[key] else { return true }
        if case .sequence(let items) = node.content { return items.isEmpty }
        return false
    }

    /// Notes a problem at an item of a list, or at one of the item's keys.
    func report(_ text: String, atItem index: Int, of key: String, _ itemKey: String? = nil) {
        guard case .sequence(let items)? = node[key]?.content, items.indices.contains(index) else { return }
        let item = items[index]
        let at = "\(path(of: key))[\(index)]"
        guard let itemKey else { return problems.append(item.mark, at, text) }
        problems.append(item[itemKey]?.mark ?? item.mark, "\(at).\(itemKey)", text)
    }

    /// Notes each item of a list whose identity an earlier item has, with that item's line. nil has no identity.
    func reportRepeated(_ key: String, _ identities: [String?], _ text: (String) -> String) {
        guard case .sequence(let items)? = node[key]?.content else { return }
        var lines: [String: Int] = [:]
        for (index, item) in items.enumerated() where identities.indices.contains(index) {
            guard let identity = identities[index] else { continue }
            if let line = lines[identity] {
                report("line \(line) \(text(identity))", atItem: index, of: key)
            } else {
                lines[identity] = item.mark.line
            }
        }
    }
}
