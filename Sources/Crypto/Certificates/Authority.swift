import COpenSSL
import Envelope

/// A mesh's authority with its private key: makes the certificates of its nodes.
public struct Authority: Sendable {
    /// The longest life that can be asked for: about a hundred years.
    public static let longestDays = 36_500

    public let certificate: AuthorityCertificate
    public let key: SigningKey

    /// Reads an authority made before.
    /// - Throws: ``CertificateError``, also where key and certificate are no pair.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(CertificateError) {
        let certificate = try AuthorityCertificate(pem: certificatePEM)
        let key: SigningKey
        do throws(CryptoError) { key = try SigningKey(pem: keyPEM) } catch { throw .key(error) }
        guard try certificate.handle.publicKey() == key.verifyingKey else { throw .keyDoesNotMatch }
        self.certificate = certificate
        self.key = key
    }

    /// Makes a new authority: an Ed25519 key and a certificate signed by itself, which may sign nodes and no
    /// further authorities.
    ///
    /// - Parameters:
    ///   - days: its life from `now` on, 1 to ``longestDays``.
    ///   - now: the time of day; life begins an hour earlier, so that a clock that is behind does no harm.
    /// - Throws: ``CertificateError/unusableLife(days:)``.
    public init(newAt now: WallTime, days: Int) throws(CertificateError) {
        let key = SigningKey()
        var draft = try CertificateDraft(publicKey: key.handle, now: now, days: days)
        draft.setSubject("GridRelay mesh authority")
        draft.setIssuer(nil)
        draft.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        draft.add(NID_key_usage, "critical,keyCertSign,cRLSign")
        draft.add(NID_subject_key_identifier, "hash")
        draft.add(NID_authority_key_identifier, "keyid:always")
        self.key = key
        certificate = try AuthorityCertificate(draft.signed(by: key.handle))
    }

    /// Issues a node's certificate.
    ///
    /// - Parameters:
    ///   - name: becomes the one URI `gridrelay://zone/name` by which the mesh knows the node.
    ///   - publicKey: the node's own; its private half never needs to leave the node.
    ///   - days: its life from `now` on, 1 to ``longestDays``.
    ///   - now: the time of day; life begins an hour earlier, so that a clock that is behind does no harm.
    /// - Throws: ``CertificateError/unusableLife(days:)``.
    public func issue(
        to name: NodeName, publicKey: VerifyingKey, now: WallTime, days: Int
    ) throws(CertificateError) -> NodeCertificate {
        try issue(
            subject: Self.subject(of: name), names: "URI:\(NodeCertificate.scheme)\(name)", publicKey: publicKey,
            now: now, days: days
        ).node()
    }

    /// Issues with alternative names of any form; ``issue(to:publicKey:now:days:)`` is the one for nodes.
    func issue(
        subject: String, names: String?, publicKey: VerifyingKey, now: WallTime, days: Int,
        usage: String = "serverAuth,clientAuth"
    ) throws(CertificateError) -> CertificateHandle {
        var draft = try CertificateDraft(publicKey: publicKey.handle, now: now, days: days)
        draft.setSubject(subject)
        draft.setIssuer(certificate.handle)
        draft.add(NID_basic_constraints, "critical,CA:FALSE")
        draft.add(NID_key_usage, "critical,digitalSignature")
        draft.add(NID_ext_key_usage, usage)
        draft.add(NID_subject_key_identifier, "hash")
        draft.add(NID_authority_key_identifier, "keyid:always")
        if let names { draft.add(NID_subject_alt_name, names) }
        return draft.signed(by: key.handle)
    }

    /// The node's name, or only its local part where the whole exceeds the 64 characters that X.520 allows.
    /// The URI is what counts.
    private static func subject(of name: NodeName) -> String {
        name.description.utf8.count <= 64 ? name.description : name.local
    }
}

extension CertificateHandle {
    fileprivate func node() throws(CertificateError) -> NodeCertificate { try NodeCertificate(self) }
}
