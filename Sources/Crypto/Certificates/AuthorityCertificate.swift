import COpenSSL
import Envelope

/// The public half of a mesh's authority: what every node trusts.
public struct AuthorityCertificate: Sendable, Equatable {
    /// Authorities that a node may trust at a time: the present one, the next one, and room for merged meshes.
    public static let limit = 16

    public let notBefore: WallTime
    public let notAfter: WallTime
    /// Its subject, such as `CN=GridRelay mesh authority`.
    public let subject: String
    /// SHA-256 of the DER form.
    public let fingerprint: [UInt8]
    public let der: [UInt8]

    let handle: CertificateHandle

    /// - Throws: ``CertificateError/unreadable(reason:)`` or ``CertificateError/notAnAuthority``.
    public init(der: [UInt8]) throws(CertificateError) {
        try self.init(CertificateHandle(der: der))
    }

    /// Reads the first certificate of a PEM text.
    /// - Throws: ``CertificateError/unreadable(reason:)`` or ``CertificateError/notAnAuthority``.
    public init(pem: [UInt8]) throws(CertificateError) {
        self = try Self.all(inPEM: pem)[0]
    }

    /// Reads every certificate of a PEM text: at least one, so that a mesh can change its authority step by step.
    /// - Throws: ``CertificateError`` where one is unreadable or no authority, or there are more than ``limit``.
    public static func all(inPEM text: [UInt8]) throws(CertificateError) -> [AuthorityCertificate] {
        let handles = try CertificateHandle.all(inPEM: text, limit: limit)
        guard handles.count <= limit else { throw .tooManyAuthorities(handles.count) }
        var authorities: [AuthorityCertificate] = []
        for handle in handles { authorities.append(try AuthorityCertificate(handle)) }
        return authorities
    }

    init(_ handle: CertificateHandle) throws(CertificateError) {
        let mayIssue = X509_check_ca(handle.pointer) == 1
        let usage = X509_get_key_usage(handle.pointer)
        guard mayIssue, usage & UInt32(KU_KEY_CERT_SIGN) != 0 else { throw .notAnAuthority }
        self.handle = handle
        notBefore = handle.notBefore
        notAfter = handle.notAfter
        subject = handle.subject
        der = try handle.encoded()
        fingerprint = Digest.sha256(der)
    }

    /// PEM, for a file.
    public var pem: [UInt8] { handle.pem }

    public static func == (left: Self, right: Self) -> Bool { left.der == right.der }
}
