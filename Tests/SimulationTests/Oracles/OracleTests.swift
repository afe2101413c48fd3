import Envelope
import Mesh
import Testing

@testable import Journal
@testable import Simulation

/// What watches a run from outside must notice what it is there for, and nothing else.
struct OracleTests {
    private func world() -> World {
        var dials = Dials.quiet
        dials.safetyTime = .seconds(1)
        return Scenario(seed: 1, dials: dials, topology: .random(seed: 1, relays: 2, agents: 1), load: 0).world {
            Idle($0)
        }
    }

    // MARK: Stores

    /// A store that has told of these records that they are durable: the numbers 1, 2, 3, …
    private func store(_ records: [[UInt8]], at host: Host) -> StoreModel {
        let model = StoreModel(front: 4)
        var batch = JournalBatch()
        for (token, bytes) in records.enumerated() {
            bytes.withUnsafeBytes { _ = batch.append(RecordKind(1), token: UInt64(token), $0) }
        }
        model.submitted(batch)
        let completions = records.indices.map {
            JournalCompletion(token: UInt64($0), lsn: LSN(UInt64($0) + 1), outcome: .durable)
        }
        model.completed(completions, at: host)
        return model
    }

    private func start(_ model: StoreModel, showing records: [(UInt64, [UInt8])], at host: Host) {
        var inspection = model.inspect(at: host)
        for (number, bytes) in records {
            bytes.prefix(4).withUnsafeBytes {
                model.shown(
                    ReplayedRecord(lsn: LSN(number), kind: RecordKind(1), length: bytes.count, prefix: $0),
                    &inspection, at: host)
            }
        }
        model.finish(inspection, RecoveryReport(), at: host)
    }

    @Test func aRecordThatWasDurableMustBeShownAgain() {
        let (one, two): ([UInt8], [UInt8]) = ([1, 2, 3, 4, 5], [6, 7])
        let cases: [([(UInt64, [UInt8])], String?)] = [
            ([(1, one), (2, two)], nil), ([(1, one)], "does not show 1 records"), ([], "does not show 2 records"),
            ([(1, one), (2, one)], "other bytes"), ([(1, one), (2, [6, 8])], "nobody appended"),
            ([(1, one), (2, two), (7, [9])], "nobody appended"), ([(1, one), (2, two), (3, two)], nil),
        ]
        for (shown, said) in cases {
            let world = world()
            start(store([one, two], at: world.hosts[0]), showing: shown, at: world.hosts[0])
            #expect(world.violation?.text.contains(said ?? "nothing") ?? false == (said != nil), "\(shown)")
            #expect((world.violation != nil) == (said != nil), "\(shown): \(world.violation?.text ?? "")")
        }
    }

    @Test func whatWasReleasedOrRefusedNeedNotBeShown() {
        let world = world()
        let model = store([[1], [2]], at: world.hosts[0])
        var batch = JournalBatch()
        batch.release(LSN(1))
        [UInt8]([3]).withUnsafeBytes { _ = batch.append(RecordKind(1), token: 9, $0) }
        model.submitted(batch)
        model.completed(
            [JournalCompletion(token: 9, lsn: .none, outcome: .refused(.full(bytesInUse: 1, maxBytes: 1)))],
            at: world.hosts[0])
        start(model, showing: [(2, [2])], at: world.hosts[0])
        #expect(world.violation == nil)
    }

    /// The system's memory hides it until the machine boots again.
    @Test func damageDoneWhileAStartWritesIsSeenAtTheNextBoot() {
        let world = world()
        let host = world.hosts[0]
        let model = store([[1]], at: host)
        var inspection = model.inspect(at: host)
        host.disk.damageLog.append(Damage(kind: .misdirectedWrite, path: "/journal/x", range: 0..<4096))
        [UInt8]([1]).withUnsafeBytes {
            model.shown(
                ReplayedRecord(lsn: LSN(1), kind: RecordKind(1), length: 1, prefix: $0), &inspection, at: host)
        }
        model.finish(inspection, RecoveryReport(), at: host)
        host.boots += 1
        start(model, showing: [], at: host)
        #expect(world.violation == nil)
    }

    @Test func damageIsOnlyFoundWhereThereIsSome() {
        for isDamaged in [false, true] {
            let world = world()
            let model = store([], at: world.hosts[0])
            if isDamaged {
                world.hosts[0].disk.damageLog.append(Damage(kind: .bitRot, path: "/journal/x", range: 5..<6))
            }
            var report = RecoveryReport()
            report.damage.append(DamagedRecord(segment: "x", offset: 4096, bytes: 8))
            model.finish(model.inspect(at: world.hosts[0]), report, at: world.hosts[0])
            #expect((world.violation == nil) == isDamaged)
        }
    }

    @Test func onlySoManyRecordsAreExcusedAsTheDamageCanHold() {
        for (records, isExcused) in [(2, true), (3, false)] {
            let world = world()
            let model = store((0..<records).map { [UInt8($0)] }, at: world.hosts[0])
            world.hosts[0].disk.damageLog.append(Damage(kind: .bitRot, path: "/journal/x", range: 5..<6))
            start(model, showing: [], at: world.hosts[0])
            #expect((world.violation == nil) == isExcused)
        }
        let world = world()
        let model = store((0..<100).map { [UInt8($0)] }, at: world.hosts[0])
        world.hosts[0].disk.damageLog.append(Damage(kind: .wiped, path: "/", range: 0..<0))
        start(model, showing: [], at: world.hosts[0])
        #expect(world.violation == nil)
    }

    /// A disk may be damaged where the system's memory hides it until the next boot; then it has been seen.
    @Test func damageMayShowAfterTheNextBootOnly() {
        let world = world()
        let host = world.hosts[0]
        let model = store([[1], [2]], at: host)
        start(model, showing: [(1, [1]), (2, [2])], at: host)
        host.disk.damageLog.append(Damage(kind: .misdirectedWrite, path: "/journal/x", range: 5..<6))
        start(model, showing: [(1, [1]), (2, [2])], at: host)
        host.boots += 1
        start(model, showing: [(1, [1])], at: host)
        #expect(world.violation == nil)
        host.boots += 1
        start(model, showing: [], at: host)
        #expect(world.violation != nil)
    }

    /// A record that became durable as its process ended was never told of, and may have the number of another one that
    /// a wiped disk had.
    @Test func aNumberMeansAnotherRecordOnAWipedDisk() {
        let world = world()
        let host = world.hosts[0]
        let model = store([[1, 1]], at: host)
        var batch = JournalBatch()
        batch.release(LSN(1))
        [UInt8]([2, 2]).withUnsafeBytes { _ = batch.append(RecordKind(1), token: 9, $0) }
        model.submitted(batch)
        host.disk.damageLog.append(Damage(kind: .wiped, path: "/", range: 0..<0))
        start(model, showing: [(1, [2, 2])], at: host)
        model.completed([JournalCompletion(token: 5, lsn: LSN(1), outcome: .bytes(RecordKind(1), [2, 2]))], at: host)
        #expect(world.violation == nil)
    }

    @Test func whatIsReadMustBeWhatWasWritten() {
        for (outcome, said) in [
            (.bytes(RecordKind(1), [1, 2]), nil), (.bytes(RecordKind(1), [1, 3]), "other bytes"),
            (.refused(.damaged(LSN(1))), "cannot be read"),
            (.refused(.file(FileError(.read, path: "x", kind: .other, reason: "no"))), nil),
        ] as [(JournalCompletion.Outcome, String?)] {
            let world = world()
            let model = store([[1, 2]], at: world.hosts[0])
            model.completed([JournalCompletion(token: 5, lsn: LSN(1), outcome: outcome)], at: world.hosts[0])
            #expect(world.violation?.text.contains(said ?? "nothing") ?? false == (said != nil))
        }
    }

    // MARK: Secrets

    @Test func aSecretIsFoundWhereverItLies() throws {
        var random = SeededRandom(seed: 4)
        let key = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let owners = [try NodeName("a/one"), try NodeName("b/two")]
        let watch = SecretWatch([SecretWatch.Secret(bytes: key, knownTo: owners)])
        let noise = (0..<4096).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(noise.withUnsafeBytes { watch.find(in: $0) } == nil)
        for place in [0, 1, 100, 4096 - 9] {
            for secret in [Array(key.prefix(9)), Array(DataLedger.value(job: 3, index: 70, bytes: 9).dropFirst(12))] {
                var bytes = noise
                bytes.replaceSubrange(place..<place + 9, with: secret)
                #expect(bytes.withUnsafeBytes { watch.find(in: $0) } != nil, "at \(place)")
            }
        }
    }

    @Test func itIsToldWhoMayKnowAKey() throws {
        let (pair, root) = (
            (0..<32).map { UInt8(truncatingIfNeeded: $0 * 37) }, (0..<32).map { UInt8(truncatingIfNeeded: $0 * 91 + 5) }
        )
        let watch = SecretWatch([
            .init(bytes: pair, knownTo: [try NodeName("b/two"), try NodeName("a/one")]),
            .init(bytes: root, knownTo: []),
        ])
        #expect((pair + [0]).withUnsafeBytes { watch.find(in: $0) } == "the key of a/one and b/two, at byte 0 of 33")
        // Also where nothing stands behind its head.
        let head = root.prefix(8)
        #expect(([1, 2, 3] + head).withUnsafeBytes { watch.find(in: $0) } == "a root key, at the end of 11 bytes")
        #expect(Array(head).withUnsafeBytes { watch.find(in: $0) } == "a root key, at the end of 8 bytes")
        #expect([UInt8]().withUnsafeBytes { watch.find(in: $0) } == nil)
    }

    // MARK: What relays believe

    private func advertisement(_ boot: UInt64, _ sequence: UInt64, ports: [UInt16] = []) throws -> Advertisement {
        Advertisement(
            origin: try NodeName("zone-1/relay"), stamp: .init(boot: boot, sequence: sequence),
            madeAt: WallTime(milliseconds: 0), softwareVersion: "", listenPorts: ports, holdings: .init(), links: [],
            attached: [], services: [])
    }

    @Test func whatIsBelievedNeverGetsOlder() throws {
        for (next, said) in [
            (try advertisement(2, 5), nil), (try advertisement(2, 6), nil), (try advertisement(3, 1), nil),
            (try advertisement(2, 4), "falls"), (try advertisement(1, 9), "falls"),
            (try advertisement(2, 5, ports: [7]), "changes"),
        ] {
            let world = world()
            let mesh = MeshModel(hosts: 3, disksForget: false)
            mesh.heard([try advertisement(2, 5)], at: world.hosts[1])
            mesh.heard([next], at: world.hosts[0])
            mesh.heard([next], at: world.hosts[1])
            #expect(world.violation?.text.contains(said ?? "nothing") ?? false == (said != nil))
        }
    }

    @Test func aRelayStartsUnderANumberOnce() {
        for (numbers, forgets, holds) in [([1, 2, 5], false, true), ([1, 1], false, false), ([2, 1], true, true)]
            as [([UInt64], Bool, Bool)]
        {
            let world = world()
            let mesh = MeshModel(hosts: 3, disksForget: forgets)
            for number in numbers { mesh.started(as: number, at: world.hosts[0]) }
            #expect((world.violation == nil) == holds)
        }
    }
}
