import COpenSSL
import Envelope

/// A node's certificate: an Ed25519 key and the one name it speaks for.
///
/// Reading one checks its form, not its signature; see ``verify(against:at:)``.
public struct NodeCertificate: Sendable, Equatable {
    public let name: NodeName
    public let publicKey: VerifyingKey
    /// First moment of its life.
    public let notBefore: WallTime
    /// End of its life: at this moment it is no longer valid.
    public let notAfter: WallTime
    /// SHA-256 of the DER form: names this very certificate, for instance in a list of revoked ones.
    public let fingerprint: [UInt8]
    /// As TLS carries it.
    public let der: [UInt8]

    let handle: CertificateHandle

    /// - Throws: ``CertificateError`` that says what is wrong with its form.
    public init(der: [UInt8]) throws(CertificateError) {
        try self.init(CertificateHandle(der: der))
    }

    /// Reads the first certificate of a PEM text.
    /// - Throws: ``CertificateError`` that says what is wrong with its form.
    public init(pem: [UInt8]) throws(CertificateError) {
        let all = try CertificateHandle.all(inPEM: pem, limit: AuthorityCertificate.limit)
        try self.init(all[0])
    }

    init(_ handle: CertificateHandle) throws(CertificateError) {
        self.handle = handle
        name = try Self.name(in: handle.pointer)
        publicKey = try handle.publicKey()
        notBefore = handle.notBefore
        notAfter = handle.notAfter
        der = try handle.encoded()
        fingerprint = Digest.sha256(der)
    }

    /// PEM, for a file.
    public var pem: [UInt8] { handle.pem }

    public static func == (left: Self, right: Self) -> Bool { left.der == right.der }

    static let scheme = "gridrelay://"

    /// The name in a certificate: exactly one URI, ours. Other kinds of alternative names are passed over.
    static func name(in certificate: OpaquePointer) throws(CertificateError) -> NodeName {
        let capacity = scheme.utf8.count + 2 * Limits.nameLength + 1
        var length = 0
        var count: Int32 = 0
        let text = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            count = gridrelay_certificate_uris(certificate, buffer.baseAddress, capacity, &length)
            filled = min(length, capacity)
        }
        guard count == 1 else { throw .noNodeName(found: count == 0 ? "none" : "\(count)") }
        let shown = Self.printable(text)
        guard length <= capacity, text.starts(with: scheme.utf8) else { throw .noNodeName(found: shown) }
        do throws(NameError) {
            return try NodeName(String(decoding: text.dropFirst(scheme.utf8.count), as: UTF8.self))
        } catch {
            throw .noNodeName(found: shown)
        }
    }

    /// A stranger's text, fit for a log.
    private static func printable(_ text: [UInt8]) -> String {
        let visible = text.prefix(80).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
        return "'\(String(decoding: visible, as: UTF8.self))'"
    }
}
