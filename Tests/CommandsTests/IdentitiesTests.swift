import Crypto
import Envelope
import Glibc
import Keyring
import Node
import Testing

@testable import Commands

@Suite struct IdentitiesTests {
    @Test func authorityAndNode() throws {
        let stage = try Stage()
        let made = stage.run(["ca", "create", "--out", stage.directory + "/x/ca", "--days", "10"])
        #expect(made.code == .ok)
        #expect(made.output.contains("valid until 2026-12-01"))
        #expect(made.talk.contains("off the nodes"))
        #expect(stage.permissions("x") == 0o700)
        #expect(stage.permissions("x/ca/authority-key.pem") == 0o600)
        let node = [
            "node", "create", "plant-a/relay", "--ca", stage.directory + "/x/ca", "--out", stage.directory + "/n",
        ]
        #expect(stage.run(node + ["-o", "json"]).output.contains("\"name\" : \"plant-a/relay\""))
        #expect(stage.permissions("n/key.pem") == 0o600)
        let certificate = try NodeCertificate(
            pem: LocalFile.read(stage.directory + "/n/certificate.pem", limit: 1 << 16))
        let authority = try AuthorityCertificate(
            pem: LocalFile.read(stage.directory + "/n/authority.pem", limit: 1 << 16))
        #expect(try certificate.name == NodeName("plant-a/relay"))
        try certificate.verify(against: authority, at: Stage.now)

        let again = stage.run(node)
        #expect(again.code == .failed)
        #expect(again.talk.contains("n/certificate.pem is there already\nhint:  choose another place, or give --force"))
        #expect(stage.run(node + ["--force"]).code == .ok)
    }

    @Test func nothingIsReplacedUnasked() throws {
        let stage = try Stage()
        let create = ["ca", "create", "--out", stage.directory]
        #expect(stage.run(create).code == .ok)
        let key = try LocalFile.read(stage.directory + "/authority-key.pem", limit: 1 << 16)
        #expect(stage.run(create).code == .failed)
        #expect(try LocalFile.read(stage.directory + "/authority-key.pem", limit: 1 << 16) == key)
        #expect(stage.run(create + ["--force"]).code == .ok)
        #expect(try LocalFile.read(stage.directory + "/authority-key.pem", limit: 1 << 16) != key)
    }

    @Test func wrongInputSaysWhatToDo() throws {
        try Stage().play(
            """
            $ relayctl node create plant --ca DIR --out DIR/n
            ! error: 'plant' is not a node's name; write zone/name, such as plant-a/relay-1
            ? 2
            $ relayctl node create a/b --ca DIR --out DIR/n
            ! error: cannot read DIR/authority.pem: No such file or directory
            ? 1
            $ relayctl ca create --out DIR --days 0
            ! error: --days takes a whole number from 1 to 36500, not '0'
            ? 2
            $ relayctl key grant a/b --root DIR/r --out DIR/g
            ! error: whom may it speak with?
            ! hint:  give either --topology FILE or one --peer for each agent
            ? 2
            $ relayctl key grant a/b --root DIR/r --out DIR/g --peer a/b
            ! error: a/b is named as its own peer
            ? 2
            """)
    }

    @Test func keyAndGrant() throws {
        let stage = try Stage()
        let root = stage.directory + "/keys/root.key"
        #expect(stage.run(["key", "create", "--out", root, "--lifetime", "30"]).output.contains("due 2026-12-21"))
        #expect(stage.permissions("keys/root.key") == 0o600)
        let record = try KeyRecord(file: LocalFile.read(root, limit: 1 << 16))
        #expect(record.life.softEnd < record.life.hardEnd)
        let path = stage.directory + "/g"
        let grant = ["key", "grant", "a/b", "--root", root, "--out", path, "--peer", "c/d", "--peer=e/f"]
        #expect(stage.run(grant).output.contains("a/b may speak with: c/d, e/f\n"))
        #expect(stage.permissions("g") == 0o600)
        let made = try KeyGrant(file: LocalFile.read(path, limit: 1 << 16))
        #expect(made.holder.description == "a/b")
        #expect(made.id == record.id)
        #expect(stage.run(grant).code == .failed)
        try LocalFile.write(Array("gridrelay-root-key v1\n".utf8), to: root, mode: 0o600, replaces: true)
        #expect(stage.run(grant + ["--force"]).talk.contains("keys/root.key: line "))
    }
}
