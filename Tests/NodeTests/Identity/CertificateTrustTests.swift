import Crypto
import Envelope
import Platform
import Testing

@testable import Node

@Suite struct CertificateTrustTests {
    private let scene: IdentityScene
    private let destination: NodeIdentity
    private let source: NodeIdentity
    private let judge: CertificateTrust
    private let speaker: CertificateTrust
    private let entries = [
        Receipt.Entry(stream: StreamID(Bytes16(low: 1, high: 2)), mark: Sequence(3)),
        Receipt.Entry(stream: StreamID(Bytes16(low: 4, high: 5)), mark: Sequence(6)),
    ]

    init() throws {
        scene = try IdentityScene()
        destination = try scene.identity("plant-b/agent")
        source = try scene.identity("plant-a/agent")
        judge = CertificateTrust(source)
        speaker = CertificateTrust(destination)
    }

    private func isTaken(_ receipt: Receipt) -> Bool { judge.verify(receipt, from: destination.id, to: source.id) }

    // MARK: Receipts

    @Test func aReceiptOfTheDestinationIsTaken() {
        let receipt = speaker.receipt(for: source.id, entries)
        #expect(isTaken(receipt))
        #expect(isTaken(receipt), "and again with the certificate remembered")
    }

    @Test func aReceiptOfAnotherNodeIsNotTaken() throws {
        let other = CertificateTrust(try scene.identity("plant-b/other"))
        #expect(!isTaken(other.receipt(for: source.id, entries)))
        // Nor under the destination's certificate: the key is not its own.
        var forged = other.receipt(for: source.id, entries)
        forged.certificate = destination.certificate.der
        #expect(!isTaken(forged))
    }

    @Test func aReceiptForAnotherSourceIsNotTaken() throws {
        let other = try scene.identity("plant-c/agent")
        #expect(!isTaken(speaker.receipt(for: other.id, entries)))
    }

    @Test func aChangedReceiptIsNotTaken() {
        let whole = speaker.receipt(for: source.id, entries)
        for change in [
            { $0.entries[0].mark = Sequence(4) }, { $0.entries[1].stream = StreamID(Bytes16(low: 4, high: 6)) },
            { $0.entries.removeLast() }, { $0.entries.swapAt(0, 1) }, { $0.entries = [] },
            { $0.signature.removeLast() }, { $0.signature = [] },
        ] as [(inout Receipt) -> Void] {
            var receipt = whole
            change(&receipt)
            #expect(!isTaken(receipt), "\(receipt)")
        }
        for place in whole.signature.indices {
            var receipt = whole
            receipt.signature[place] ^= 1
            #expect(!isTaken(receipt))
        }
        #expect(isTaken(whole))
    }

    @Test func aDamagedCertificateIsNotTaken() {
        let whole = speaker.receipt(for: source.id, entries)
        for place in whole.certificate.indices {
            var receipt = whole
            receipt.certificate[place] ^= 1
            #expect(!isTaken(receipt))
            receipt.certificate = Array(whole.certificate[..<place])
            #expect(!isTaken(receipt))
        }
    }

    @Test func theSameNameOfAnotherAuthorityIsNotTaken() throws {
        let impostor = CertificateTrust(try IdentityScene().identity("plant-b/agent"))
        #expect(!isTaken(impostor.receipt(for: source.id, entries)))
    }

    @Test func aSignatureOfAnotherPurposeIsNotTaken() {
        let der = destination.certificate.der
        let bytes = Receipt.signedBytes(from: destination.id, to: source.id, entries: entries, certificate: der)
        for (purpose, isRight) in [(SigningPurpose.receipt, true), (.linkState, false)] {
            let receipt = Receipt(
                entries: entries, certificate: der, signature: destination.key.sign(bytes, for: purpose))
            #expect(isTaken(receipt) == isRight)
        }
    }

    // MARK: Advertisements

    @Test func anAdvertisementCountsForItsOwnOriginOnly() throws {
        let (signature, certificate) = speaker.sign([1, 2, 3])
        func isTaken(_ bytes: [UInt8], _ origin: NodeName) -> Bool {
            judge.verify(bytes, signature: signature, certificate: certificate, origin: origin)
        }
        #expect(isTaken([1, 2, 3], destination.name))
        #expect(!isTaken([1, 2, 3], source.name))
        #expect(!isTaken([1, 2, 4], destination.name))
        #expect(!isTaken([], destination.name))
        let (foreign, foreignCertificate) = CertificateTrust(try IdentityScene().identity("plant-b/agent"))
            .sign([1, 2, 3])
        #expect(
            !judge.verify(
                [1, 2, 3], signature: foreign, certificate: foreignCertificate, origin: destination.name))
    }

    // MARK: Renewal

    @Test func afterRenewalOnlyTheNewAuthorityCounts() throws {
        let receipt = speaker.receipt(for: source.id, entries)
        #expect(isTaken(receipt))
        let next = try IdentityScene()
        judge.renew(try next.identity("plant-a/agent"))
        #expect(!isTaken(receipt), "also where its certificate was remembered")
        speaker.renew(try next.identity("plant-b/agent"))
        #expect(isTaken(speaker.receipt(for: source.id, entries)))
    }
}
