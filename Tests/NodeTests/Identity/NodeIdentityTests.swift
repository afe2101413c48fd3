import Crypto
import Envelope
import Glibc
import Platform
import Testing

@testable import Node

@Suite struct NodeIdentityTests {
    private let scene: IdentityScene
    private let directory: IdentityDirectory
    private let name: NodeName

    init() throws {
        scene = try IdentityScene()
        directory = try IdentityDirectory()
        name = try NodeName("plant-a/relay")
    }

    @Test func rightFilesMakeAnIdentity() throws {
        let identity = try NodeIdentity.load(scene.write("plant-a/relay", into: directory.path), expecting: name)
        #expect(identity.name == name)
        #expect(identity.id == NodeID(of: name))
        #expect(identity.certificate.name == name)
        #expect(identity.authorities == [scene.authority.certificate])
    }

    @Test(arguments: [0o640, 0o604, 0o610, 0o644, 0o601, 0o620] as [UInt16])
    func aKeyThatOthersMayTouchIsRefused(mode: UInt16) throws {
        let files = try scene.write("plant-a/relay", into: directory.path, keyMode: mode)
        #expect(throws: IdentityError.exposed(files.key)) { try NodeIdentity.load(files, expecting: name) }
        #expect("\(IdentityError.exposed(files.key))".contains("chmod 600 \(files.key)"))
        #expect(chmod(files.key, 0o400) == 0)
        #expect(throws: Never.self) { try NodeIdentity.load(files, expecting: name) }
    }

    @Test func aCertificateOfAnotherNodeIsRefused() throws {
        let files = try scene.write("plant-a/other", into: directory.path)
        let other = try NodeName("plant-a/other")
        #expect(throws: IdentityError.wrongName(files.certificate, certified: other, configured: name)) {
            try NodeIdentity.load(files, expecting: name)
        }
    }

    @Test func aCertificateOfAnotherAuthorityIsRefused() throws {
        let files = try scene.write("plant-a/relay", into: directory.path, authority: IdentityScene().authority)
        let path = try unusable(files)
        #expect(path == files.certificate)
    }

    @Test func aKeyOfAnotherCertificateIsRefused() throws {
        let files = try scene.write("plant-a/relay", into: directory.path, key: SigningKey())
        #expect(try unusable(files) == files.certificate)
    }

    @Test func aFileThatIsMissingIsNamed() throws {
        let whole = try scene.write("plant-a/relay", into: directory.path)
        for path in [\NodeConfiguration.IdentityFiles.certificate, \.key, \.authority] {
            var files = whole
            files[keyPath: path] = directory.path + "/absent"
            #expect(try unusable(files) == directory.path + "/absent")
        }
    }

    @Test func aFileThatIsCutOrOverwrittenIsRefused() throws {
        let files = try scene.write("plant-a/relay", into: directory.path)
        for path in [files.certificate, files.key, files.authority] {
            let whole = try Files.read(path, limit: 1 << 20)
            for length in stride(from: 0, to: whole.count - 30, by: 41) {
                try Files.replace(path, with: Array(whole[..<length]))
                _ = try unusable(files)
            }
            try Files.replace(path, with: [UInt8](repeating: 0xFF, count: 4096))
            _ = try unusable(files)
            try Files.replace(path, with: whole)
        }
        #expect(throws: Never.self) { try NodeIdentity.load(files, expecting: name) }
    }

    /// Which file the refusal blames.
    private func unusable(_ files: NodeConfiguration.IdentityFiles) throws -> String {
        let error = try #require(throws: IdentityError.self) { try NodeIdentity.load(files, expecting: name) }
        guard case .unusable(let path, let why) = error else {
            Issue.record("\(error)")
            return ""
        }
        #expect(!why.isEmpty)
        return path
    }
}
