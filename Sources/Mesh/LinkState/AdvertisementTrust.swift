import Envelope

/// Who an advertisement is from: signing with this node's key and checking others' against the mesh's certificates.
public protocol AdvertisementTrust: Sendable {
    /// Signs with the key of the certificate returned beside.
    /// - Returns: an Ed25519 signature of ``Limits/advertisementSignatureBytes`` bytes, and the certificate in DER,
    ///   at most ``Limits/advertisementCertificateBytes`` bytes.
    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8])

    /// True where the certificate is one of this mesh, not revoked, names `origin` and a relay, and its key made the
    /// signature over `bytes`. All arguments are a peer's and may be anything.
    func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool
}

/// An advertisement as it travels: its bytes, who vouches for them, and how long ago the origin sent them.
struct SignedAdvertisement: Equatable, Sendable {
    /// Put before the bytes that are signed, so that no signature made for another purpose fits here.
    static let context = Array("GridRelay link-state advertisement 1\u{0}".utf8)

    /// Since the origin made it, counted with local clocks by those who held it; not signed. It lets every relay
    /// forget a dead origin at the same time, instead of hearing of it anew from one that forgets later.
    var age: Duration
    var signature: [UInt8]
    var certificate: [UInt8]
    var bytes: [UInt8]

    init(age: Duration, signature: [UInt8], certificate: [UInt8], bytes: [UInt8]) {
        self.age = age
        self.signature = signature
        self.certificate = certificate
        self.bytes = bytes
    }

    init(_ advertisement: Advertisement, signedBy trust: some AdvertisementTrust) {
        let bytes = advertisement.encoded()
        let (signature, certificate) = trust.sign(Self.context + bytes)
        self.init(age: .zero, signature: signature, certificate: certificate, bytes: bytes)
    }

    func isGenuine(of origin: NodeName, by trust: some AdvertisementTrust) -> Bool {
        trust.verify(Self.context + bytes, signature: signature, certificate: certificate, origin: origin)
    }

    /// Bytes it takes in a message.
    var encodedCount: Int { 4 + signature.count + 2 + certificate.count + 2 + bytes.count }
}
