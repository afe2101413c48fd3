#if CANARIES
    import Envelope
    import Link

    /// What the planted bugs remember.
    struct PlantedState {
        struct Identity: Hashable {
            var stream: StreamID
            var sequence: Sequence
        }

        var seen: [Identity: InstanceID] = [:]
        var wall: WallTime?
    }

    extension Forwarder {
        /// The time of day, for the bug that goes by it.
        public mutating func plantedClock(_ wall: WallTime) { planted.wall = wall }

        mutating func plantedSees(_ header: Header, _ id: InstanceID) {
            planted.seen[PlantedState.Identity(stream: header.stream, sequence: header.sequence)] = id
        }

        /// - Returns: true where a planted bug says that custody can be given at once.
        mutating func plantedTakes(_ header: Header, _ creditor: Creditor, length: Int) -> Bool {
            guard configuration.hasStore else { return false }
            let before = planted.seen[PlantedState.Identity(stream: header.stream, sequence: header.sequence)]
            switch Canary.planted {
            case .acknowledgeSeenBefore:
                guard before != nil else { return false }
            case .mergeInstances:
                guard let before, let index = instances.index(of: before), instances[index].stored != 0 else {
                    return false
                }
            case .lifetimeByWallClock:
                let end = header.created.milliseconds + Int64(header.lifetime) * 1000
                guard let wall = planted.wall, end < wall.milliseconds else { return false }
            default: return false
            }
            links[Int(creditor.link)].ledger.markSafe(creditor, length: length)
            return true
        }
    }
#endif
