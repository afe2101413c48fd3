import Crypto
import Envelope
import Glibc
import Keyring
import Node
import Platform
import Synchronization
import Testing

@testable import Agent
@testable import AgentCore

/// A directory of its own for one test, removed at the end.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/gridrelay-agent-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        path = String(cString: made)
    }

    deinit { Self.remove(path) }

    func path(_ name: String) -> String { path + "/" + name }

    /// Names in a directory below this one; none where there is no such directory.
    func names(_ directory: String = "") -> [String] { Self.list(path + "/" + directory).sorted() }

    private static func list(_ path: String) -> [String] {
        guard let handle = opendir(path) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        for name in list(path) { remove(path + "/" + name) }
        if unlink(path) != 0 { rmdir(path) }
    }
}

/// Something that several threads fill and a test looks at.
final class Collected<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])
    private let bell = Bell()

    func append(_ element: Element) { append([element]) }

    func append(_ elements: [Element]) {
        state.withLock { $0 += elements }
        bell.ring()
    }

    var all: [Element] { state.withLock { $0 } }

    /// Waits until what was collected is as asked for, at most ten seconds.
    func wait(until isDone: ([Element]) -> Bool) -> Bool {
        let end = Clock.now + .seconds(10)
        while !isDone(all) {
            guard Clock.now < end else { return false }
            bell.wait(within: .milliseconds(50))
        }
        return true
    }
}

enum Sample {
    static let now = Instant(nanoseconds: 1_000_000_000_000)
    static let destination = NodeID(Bytes16(low: 7, high: 7))
    static let log = Log(level: .error, output: .function { _ in })

    static func stream(_ number: UInt64) -> StreamID { StreamID(Bytes16(low: number, high: 0x5354_5245_414D)) }

    static func record(salt: UInt8 = 0) throws -> KeyRecord {
        let day: Int64 = 86_400_000
        let now = Clock.wall.milliseconds
        let life = try #require(
            KeyLife(
                created: WallTime(milliseconds: now - day), notBefore: WallTime(milliseconds: now - day),
                softEnd: WallTime(milliseconds: now + day), hardEnd: WallTime(milliseconds: now + 3 * day)))
        return try KeyRecord(
            generation: UInt64(salt) + 1, creator: NodeName("cloud-a/keeper"), life: life, state: .active,
            keyRoot: SecretBytes(copying: (0..<32).map { $0 ^ salt }),
            codeRoot: SecretBytes(copying: (32..<64).map { $0 ^ salt }))
    }

    static func keychain(_ holder: String, with peers: [String], _ records: [KeyRecord]) throws -> Keychain {
        var keychain = Keychain(holder: try NodeName(holder))
        for record in records {
            try keychain.insert(record.grant(to: NodeName(holder), for: peers.map { try NodeName($0) }))
        }
        return keychain
    }

    /// A batch with one record of this text a value.
    static func batch(_ values: [String], topic: String = "topic") throws -> [UInt8] {
        var builder = try RecordBatch.Builder(topic: topic)
        for value in values {
            try builder.append(
                key: nil, value: Array(value.utf8), headers: [], at: WallTime(milliseconds: 1_700_000_000_000))
        }
        return builder.finish()
    }

    static func values(_ batch: [UInt8]) throws -> [String] {
        var reader = try RecordBatch.Reader(batch)
        return try reader.remaining().map { $0.valueText ?? "" }
    }
}
