import Envelope
import Journal
import Keyring
import Node
import Platform

extension Keychain {
    /// The keys an agent was given: one grant file, or a folder of them (`*.grant`), one an epoch. None where the
    /// configuration names no keys.
    static func load(_ configuration: NodeConfiguration) throws -> Keychain {
        var keychain = Keychain(holder: configuration.node)
        guard let path = configuration.agent?.keys else { return keychain }
        for file in try files(at: path) {
            let grant = try grant(file)
            do throws(KeychainError) { try keychain.insert(grant) } catch {
                throw KeyLoadError(path: file, reason: error.description)
            }
        }
        return keychain
    }

    private static func files(at path: String) throws -> [String] {
        guard let attributes = try Files.attributes(of: path) else {
            throw KeyLoadError(path: path, reason: "there is no such file; make it with relayctl key grant")
        }
        guard attributes.isDirectory else { return [path] }
        return try PosixFileSystem().list(path).filter { $0.hasSuffix(".grant") }.sorted().map { path + "/" + $0 }
    }

    private static func grant(_ path: String) throws(KeyLoadError) -> KeyGrant {
        let bytes: [UInt8]
        do throws(FileError) {
            let isPrivate = try Files.attributes(of: path).map { $0.permissions & 0o077 == 0 } ?? true
            guard isPrivate else {
                throw FileError(
                    .read, path: path, kind: .notPermitted, reason: "others may read these keys; run: chmod 600 \(path)"
                )
            }
            bytes = try Files.read(path, limit: 16 << 20)
        } catch {
            throw KeyLoadError(path: path, reason: error.reason)
        }
        do throws(KeyFileError) { return try KeyGrant(file: bytes) } catch {
            throw KeyLoadError(path: path, reason: error.description)
        }
    }
}

/// A key file that cannot be used.
struct KeyLoadError: Error, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "\(path): \(reason)" }
}
