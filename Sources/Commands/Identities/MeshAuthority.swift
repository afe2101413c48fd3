import Crypto
import Envelope
import Node

/// The directory of a mesh's authority.
struct MeshAuthority {
    static let certificateFile = "authority.pem"
    static let keyFile = "authority-key.pem"
    /// Days a node's certificate lives where nobody says otherwise: links outlive it only until their next hello,
    /// so it is long enough for a plant's yearly stop.
    static let nodeDays = 825
    /// Days an authority lives where nobody says otherwise.
    static let authorityDays = 3650

    var authority: Authority

    /// Reads what ``create(in:days:replaces:terminal:)`` made.
    init(directory: String) throws(Failure) {
        let certificate = try LocalFile.read(directory + "/" + Self.certificateFile, limit: 1 << 20)
        let key = try LocalFile.read(directory + "/" + Self.keyFile, limit: 1 << 20)
        do {
            authority = try Authority(certificatePEM: certificate, keyPEM: key)
        } catch {
            throw Failure("the authority in \(directory) cannot be used: \(error)")
        }
    }

    /// Makes a new authority and its files.
    init(newIn directory: String, days: Int, replaces: Bool, now: WallTime) throws(Failure) {
        do {
            authority = try Authority(newAt: now, days: days)
        } catch {
            throw .usage(error.description)
        }
        try LocalFile.makeDirectory(directory)
        try LocalFile.refuse(
            [directory + "/" + Self.certificateFile, directory + "/" + Self.keyFile], unless: replaces)
        try LocalFile.write(
            authority.key.pem.withUnsafeBytes { Array($0) }, to: directory + "/" + Self.keyFile, mode: 0o600,
            replaces: replaces)
        try LocalFile.write(
            authority.certificate.pem, to: directory + "/" + Self.certificateFile, mode: 0o644, replaces: replaces)
    }

    /// Whether a node's files are a pair that this authority has issued to it and that is valid now.
    func covers(_ name: NodeName, _ files: NodeIdentityFiles, now: WallTime) -> Bool {
        guard let text = try? LocalFile.read(files.certificate, limit: 1 << 20),
            let keyText = try? LocalFile.read(files.key, limit: 1 << 20),
            let certificate = try? NodeCertificate(pem: text), let key = try? SigningKey(pem: keyText),
            LocalFile.exists(files.authority)
        else { return false }
        let isTrusted = (try? certificate.verify(against: authority.certificate, at: now)) != nil
        return isTrusted && certificate.name == name && certificate.publicKey == key.verifyingKey
    }

    /// Makes a node's key and certificate, with the authority's certificate beside them.
    /// - Returns: the files made.
    func issue(
        to name: NodeName, _ files: NodeIdentityFiles, days: Int, replaces: Bool, now: WallTime
    ) throws(Failure) -> IdentityReport {
        let key = SigningKey()
        let certificate: NodeCertificate
        do {
            certificate = try authority.issue(to: name, publicKey: key.verifyingKey, now: now, days: days)
        } catch {
            throw .usage(error.description)
        }
        try LocalFile.makeParent(of: files.certificate)
        try LocalFile.refuse([files.certificate, files.key], unless: replaces)
        try LocalFile.write(key.pem.withUnsafeBytes { Array($0) }, to: files.key, mode: 0o600, replaces: replaces)
        try LocalFile.write(certificate.pem, to: files.certificate, mode: 0o644, replaces: replaces)
        // The authority's certificate is the same for all, so it may well be there.
        try LocalFile.write(authority.certificate.pem, to: files.authority, mode: 0o644, replaces: true)
        return IdentityReport(
            name: name.description, notAfter: certificate.notAfter,
            fingerprint: Hexadecimal.encode(certificate.fingerprint),
            files: [files.key, files.certificate, files.authority])
    }
}

/// Where a node's identity lies; the names are those that a rendered configuration uses.
struct NodeIdentityFiles {
    var certificate: String
    var key: String
    var authority: String

    init(directory: String) {
        certificate = directory + "/certificate.pem"
        key = directory + "/key.pem"
        authority = directory + "/authority.pem"
    }

    init(_ layout: TopologyLayout) {
        certificate = layout.certificate
        key = layout.key
        authority = layout.authority
    }
}
