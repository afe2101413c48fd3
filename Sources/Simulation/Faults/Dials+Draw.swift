import Envelope

extension Dials {
    /// The dials of a seed: each fault kind is off in about half of all seeds, and mild or wild in the others.
    public init(seed: UInt64) {
        self = .quiet
        let source = SeededRandom(seed: seed).fork("dials")
        for kind in FaultKind.allCases {
            var random = source.fork(UInt64(kind.rawValue))
            guard random.chance(Self.share(of: kind)) else { continue }
            let range = Self.range(of: kind)
            // Small values matter as much as great ones: the square favours them.
            let part = random.fraction(in: 0...1)
            self[kind] = range.lowerBound + part * part * (range.upperBound - range.lowerBound)
        }
        var random = source.fork("magnitudes")
        drawNetwork(&random)
        drawMachines(&random)
        drawDisk(&random)
        safetyTime = random.duration(in: .seconds(20)...(.seconds(180)))
    }

    /// The share of seeds in which a kind is on.
    private static func share(of kind: FaultKind) -> Double {
        switch kind {
        case .wiped, .rolledBack, .bitRot, .misdirectedWrite, .visit: 0.2
        case .cutBytes, .lostWrites: 0.8
        default: 0.5
        }
    }

    private static func range(of kind: FaultKind) -> ClosedRange<Double> {
        switch kind {
        case .connectionLoss, .clog: 0.5...20
        case .halfOpen, .silentLoss, .oneWayPartition, .partition, .slowLink: 0.2...6
        case .isolation, .swizzle: 0.1...2
        case .dialRefused, .dialTimedOut: 0.01...0.3
        case .cutBytes: 0.01...0.5
        case .kill, .killInside: 0.2...10
        case .pause: 0.1...4
        case .powerLoss, .powerLossInside: 0.1...4
        case .clockStep: 0.1...4
        case .clockDrift, .noClock: 0.1...0.8
        case .writeFault, .readFault: 0.0001...0.01
        case .synchronizeFault: 0.0005...0.02
        case .misdirectedWrite: 0.0001...0.005
        case .lostWrites, .tornWrites, .reorderedWrites, .lostNames, .gatheredWrites: 0.3...1
        case .bitRot: 0.1...4
        case .diskFull, .slowDisk: 0.1...3
        case .wiped, .rolledBack: 0.1...1
        case .visit: 1...30
        }
    }

    private mutating func drawNetwork(_ random: inout SeededRandom) {
        let least = random.duration(in: .microseconds(50)...(.milliseconds(30)))
        delay = least...(least + random.duration(in: .microseconds(50)...(.milliseconds(70))))
        jitter = random.duration(in: .zero...(.milliseconds(10)))
        let slowest = 50_000 << random.below(11)
        bandwidth = slowest...(slowest << random.below(5))
        // What is written at once arrives at once: no more of it than half a second's worth, or a slow link would look dead.
        windowBytes = min(4096 << random.below(9), slowest / 2)
        dialTimeout = random.duration(in: .seconds(2)...(.seconds(30)))
        partitionTime = .milliseconds(200)...random.duration(in: .seconds(2)...(.seconds(90)))
        clogTime = .milliseconds(10)...random.duration(in: .seconds(1)...(.seconds(10)))
        slowLinkTime = .seconds(1)...random.duration(in: .seconds(5)...(.seconds(60)))
        lateNotice = .seconds(1)...random.duration(in: .seconds(5)...(.seconds(300)))
    }

    private mutating func drawMachines(_ random: inout SeededRandom) {
        pauseTime = .milliseconds(200)...random.duration(in: .seconds(2)...(.seconds(60)))
        longPauses = random.chance(0.25) ? random.fraction(in: 0.01...0.2) : 0
        restartTime = .milliseconds(50)...random.duration(in: .milliseconds(100)...(.seconds(20)))
        bootTime = .seconds(1)...random.duration(in: .seconds(2)...(.seconds(120)))
        clockStep = random.duration(in: .seconds(1)...(.seconds(400 * 86_400)))
        drift = random.number(in: 1...2000)
        clockArrival = .milliseconds(100)...random.duration(in: .seconds(1)...(.seconds(300)))
    }

    private mutating func drawDisk(_ random: inout SeededRandom) {
        diskLatency = random.duration(in: .microseconds(1)...(.microseconds(100)))
        diskTimePerMebibyte = random.duration(in: .microseconds(300)...(.milliseconds(20)))
        synchronizeLatency = random.duration(in: .microseconds(50)...(.milliseconds(20)))
        slowDiskFactor = random.number(in: 2...1000)
        slowDiskTime = .seconds(1)...random.duration(in: .seconds(2)...(.seconds(60)))
        diskBytes = 1 << (24 + random.below(8))
        fullDiskBytes = 0...random.number(in: 0...(1 << 20))
        fullDiskTime = .seconds(1)...random.duration(in: .seconds(2)...(.seconds(120)))
    }
}
