import Crypto
import Envelope

@testable import Mesh
@testable import Node

extension Target {
    static let advertisement = Target(
        "advertisement", "what a relay says of itself, and who may say it", longest: 2048,
        seeds: {
            [
                ("alone", [0, 0, 0] + advertisement("b/relay", ["a/relay"]).encoded()),
                ("three", [1, 20, 0] + advertisement("b/relay", ["a/relay", "c/relay", "d/relay"]).encoded()),
                ("bare", [1, 0, 1] + advertisement("b/relay", []).encoded()),
            ]
        },
        run: { input in
            var choices = Choices(input)
            let (change, place) = (choices.byte(), choices.short())
            let bytes = choices.rest()
            do throws(LinkStateError) {
                let advertisement = try Advertisement(decoding: bytes)
                require(advertisement.encoded() == bytes, "an advertisement is written as it was read")
                trySignature(of: advertisement, change, place)
            } catch {
                require(!error.description.isEmpty, "an error says something")
            }
        })

    /// A relay of the mesh whose certificate is as any other's.
    private static let signer: CertificateTrust = {
        guard let authority = try? Authority(newAt: Sample.now, days: 3_650), case let key = SigningKey(),
            let certificate = try? authority.issue(
                to: Sample.name("b/relay"), publicKey: key.verifyingKey, now: Sample.now, days: 365),
            let context = try? TLSContext(certificate: certificate, key: key, authorities: [authority.certificate])
        else { fatalError("an identity can be made") }
        let name = Sample.name("b/relay")
        return CertificateTrust(NodeIdentity(name: name, id: NodeID(of: name), context: context, key: key))
    }()

    /// What the signer says counts for the signer, as it was said, and for nobody else.
    private static func trySignature(of advertisement: Advertisement, _ change: UInt8, _ place: Int) {
        var signed = SignedAdvertisement(advertisement, signedBy: signer)
        let isOwn = advertisement.origin == Sample.name("b/relay")
        require(
            signed.isGenuine(of: advertisement.origin, by: signer) == isOwn, "a relay speaks for itself and no other")
        guard let message = try? LinkStateMessage(decoding: LinkStateMessage.advertisements([signed]).encoded()) else {
            return require(false, "an advertisement fits a message")
        }
        require(message == .advertisements([signed]), "an advertisement is the same in a message")
        guard change != 0 else { return }
        signed.bytes[place % signed.bytes.count] ^= change
        require(!signed.isGenuine(of: Sample.name("b/relay"), by: signer), "what was altered is not genuine")
    }
}
