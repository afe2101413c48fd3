import Crypto
import Envelope
import Mesh
import Synchronization

/// Vouches for advertisements and receipts with the certificates of the mesh.
public final class CertificateTrust: AdvertisementTrust, ReceiptVerifier {
    private let current: Mutex<NodeIdentity>
    /// Keys of certificates whose chain was checked before, by the certificate's bytes.
    private let known = Mutex<[[UInt8]: NodeCertificate]>([:])

    /// Certificates remembered; a mesh has tens of relays and thousands of agents at most.
    private static let remembered = 16_384

    public init(_ identity: NodeIdentity) { current = Mutex(identity) }

    private var identity: NodeIdentity { current.withLock { $0 } }

    /// Signs with a renewed certificate from now on, and judges others by its authorities.
    public func renew(_ identity: NodeIdentity) {
        current.withLock { $0 = identity }
        known.withLock { $0.removeAll() }
    }

    public func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) {
        let identity = identity
        return (identity.key.sign(bytes, for: .linkState), identity.certificate.der)
    }

    public func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool {
        guard let certificate = genuine(certificate), certificate.name == origin else { return false }
        return certificate.publicKey.verify(signature, of: bytes, for: .linkState)
    }

    /// Signs a receipt of this node for the source of the streams.
    public func receipt(for source: NodeID, _ entries: [Receipt.Entry]) -> Receipt {
        let identity = identity
        let der = identity.certificate.der
        let bytes = Receipt.signedBytes(from: identity.id, to: source, entries: entries, certificate: der)
        return Receipt(entries: entries, certificate: der, signature: identity.key.sign(bytes, for: .receipt))
    }

    /// Whether `destination` really said this to `source`.
    public func verify(_ receipt: Receipt, from destination: NodeID, to source: NodeID) -> Bool {
        guard let certificate = genuine(receipt.certificate), NodeID(of: certificate.name) == destination else {
            return false
        }
        let bytes = Receipt.signedBytes(
            from: destination, to: source, entries: receipt.entries, certificate: receipt.certificate)
        return certificate.publicKey.verify(receipt.signature, of: bytes, for: .receipt)
    }

    /// The certificate where one of our authorities signed it. Its times are not checked: what was signed while it
    /// was valid stays said, and buffering must not depend on a right clock.
    private func genuine(_ der: [UInt8]) -> NodeCertificate? {
        if let certificate = known.withLock({ $0[der] }) { return certificate }
        guard let certificate = try? NodeCertificate(der: der),
            (try? certificate.verify(against: identity.authorities, at: nil)) != nil
        else { return nil }
        known.withLock { known in
            if known.count >= Self.remembered { known.removeAll() }
            known[der] = certificate
        }
        return certificate
    }
}
