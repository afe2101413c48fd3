/// The trace hash of a run and what happened last.
struct Trace {
    static let length = 4096

    struct Entry {
        enum Kind: UInt8 {
            // Between two nodes.
            case delivered, connected, accepted, refused, timedOut, closed, lost, cut, blocked, opened
            // At one.
            case booted, started, startFailed, ended, lostPower, paused, resumed, clockStepped
            case diskFull, diskSlow, diskFault, noted
            // Everywhere.
            case healed, violated

            /// Happens all the time where nothing is wrong.
            var isTraffic: Bool {
                switch self {
                case .delivered, .connected, .accepted, .refused, .timedOut, .closed, .lost, .opened, .noted: true
                default: false
                }
            }
        }

        var time: Int64 = 0
        var step = 0
        var kind = Kind.noted
        var node: Int16 = 0
        /// The other node; the same where there is none.
        var peer: Int16 = 0
        var a: UInt64 = 0
        var b: UInt64 = 0
        var label: StaticString = ""
    }

    var hash = TraceHash()
    private var ring = [Entry](repeating: Entry(), count: Trace.length)
    private var written = 0

    mutating func add(_ event: Event) {
        hash.add(UInt64(bitPattern: event.time))
        hash.add(UInt64(event.kind.rawValue) << 48 ^ UInt64(UInt16(bitPattern: event.node)) << 32 ^ event.value)
    }

    mutating func add(_ entry: Entry) {
        hash.add(UInt64(entry.kind.rawValue) << 32 ^ UInt64(UInt16(bitPattern: entry.node)))
        if entry.kind == .noted {
            hash.add(entry.label)
            hash.add(entry.a)
            hash.add(entry.b)
        }
        ring[written & (Self.length - 1)] = entry
        written += 1
    }

    /// The last entries, oldest first, and before them the last ones that are no mere traffic.
    func last(_ count: Int, marks: Int) -> [Entry] {
        let first = max(0, written - count)
        var chosen = (first..<written).map { ring[$0 & (Self.length - 1)] }
        var (place, left) = (first - 1, marks)
        while place >= max(0, written - Self.length), left > 0 {
            let entry = ring[place & (Self.length - 1)]
            if !entry.kind.isTraffic {
                chosen.append(entry)
                left -= 1
            }
            place -= 1
        }
        return Array(chosen.dropFirst(written - first).reversed() + chosen.prefix(written - first))
    }
}

extension World {
    @inline(__always)
    func mark(_ kind: Trace.Entry.Kind, node: Int, peer: Int? = nil, a: UInt64 = 0) {
        trace.add(
            Trace.Entry(time: time, step: steps, kind: kind, node: Int16(node), peer: Int16(peer ?? node), a: a))
    }
}
