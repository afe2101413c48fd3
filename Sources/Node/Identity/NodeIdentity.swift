import Crypto
import Envelope
import Glibc
import Journal
import Mesh
import Platform

/// Who this node is: its name, proven by a certificate of the mesh's authority, and the key behind it.
public struct NodeIdentity: Sendable {
    public let name: NodeName
    public let id: NodeID
    public let context: TLSContext
    public let key: SigningKey

    public var certificate: NodeCertificate { context.certificate }
    public var authorities: [AuthorityCertificate] { context.authorities }

    /// Reads and checks the three files.
    ///
    /// - Throws: ``IdentityError``: a file that cannot be read, a key others can read, a certificate of another
    ///   node or authority.
    public static func load(
        _ files: NodeConfiguration.IdentityFiles, expecting name: NodeName
    ) throws(IdentityError) -> NodeIdentity {
        try checkPrivacy(files.key)
        let certificate = try read(files.certificate)
        let keyText = try read(files.key)
        let authority = try read(files.authority)
        let key: SigningKey
        do throws(CryptoError) { key = try SigningKey(pem: keyText) } catch {
            throw .unusable(files.key, "\(error)")
        }
        let context: TLSContext
        do throws(CertificateError) {
            context = try TLSContext(
                certificate: NodeCertificate(pem: certificate), key: key,
                authorities: AuthorityCertificate.all(inPEM: authority))
        } catch {
            throw .unusable(files.certificate, "\(error)")
        }
        guard context.certificate.der.count <= Limits.certificateBytes else {
            throw .unusable(
                files.certificate, "it is longer than \(Limits.certificateBytes) bytes, more than a receipt can carry")
        }
        guard context.certificate.name == name else {
            throw .wrongName(files.certificate, certified: context.certificate.name, configured: name)
        }
        return NodeIdentity(name: name, id: NodeID(of: name), context: context, key: key)
    }

    private static func read(_ path: String) throws(IdentityError) -> [UInt8] {
        do throws(FileError) { return try Files.read(path, limit: 1 << 20) } catch {
            throw .unusable(path, error.reason)
        }
    }

    /// A private key that others can read is no proof of anything.
    private static func checkPrivacy(_ path: String) throws(IdentityError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path) }
    }
}

/// Why a node cannot prove who it is.
public enum IdentityError: Error, Equatable, Sendable, CustomStringConvertible {
    case unusable(String, String)
    case exposed(String)
    case wrongName(String, certified: NodeName, configured: NodeName)

    public var description: String {
        switch self {
        case .unusable(let path, let why): "\(path): \(why)"
        case .exposed(let path): "\(path): others may read this private key; run: chmod 600 \(path)"
        case .wrongName(let path, let certified, let configured):
            "\(path): the certificate is \(certified)'s, the configuration says \(configured); "
                + "make one with: relayctl node create \(configured)"
        }
    }
}
