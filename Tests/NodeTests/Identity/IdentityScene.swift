import Crypto
import Envelope
import Glibc
import Platform

@testable import Node

/// An authority and what it issues, with the files a node reads at its start.
struct IdentityScene {
    let authority: Authority

    init() throws { authority = try Authority(newAt: Clock.wall, days: 30) }

    func identity(_ name: String) throws -> NodeIdentity {
        let key = SigningKey()
        let node = try NodeName(name)
        let certificate = try authority.issue(to: node, publicKey: key.verifyingKey, now: Clock.wall, days: 10)
        let context = try TLSContext(certificate: certificate, key: key, authorities: [authority.certificate])
        return NodeIdentity(name: node, id: NodeID(of: node), context: context, key: key)
    }

    /// Writes certificate, key and authority into a directory.
    func write(
        _ name: String, into directory: String, keyMode: UInt16 = 0o600, authority other: Authority? = nil,
        key written: SigningKey? = nil
    ) throws -> NodeConfiguration.IdentityFiles {
        let key = SigningKey()
        let node = try NodeName(name)
        let certificate = try authority.issue(to: node, publicKey: key.verifyingKey, now: Clock.wall, days: 10)
        let files = NodeConfiguration.IdentityFiles(
            certificate: directory + "/node.crt", key: directory + "/node.key", authority: directory + "/ca.crt")
        try Files.replace(files.certificate, with: certificate.pem)
        try Files.replace(files.key, with: (written ?? key).pem.withUnsafeBytes { Array($0) }, mode: keyMode)
        try Files.replace(files.authority, with: (other ?? authority).certificate.pem)
        return files
    }
}

/// A directory of its own, gone with the test.
final class IdentityDirectory {
    let path: String

    init() throws {
        path = "/tmp/gridrelay-identity-\(Entropy.word())"
        try Files.createDirectory(path)
    }

    deinit {
        for name in ["node.crt", "node.key", "ca.crt"] { unlink(path + "/" + name) }
        rmdir(path)
    }
}
