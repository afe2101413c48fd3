import AgentCore
import Crypto
import Envelope
import Mesh

/// Stands in for certificates: a checksum over who speaks and what is said. It tells honest mistakes from genuine words
/// at a ten thousandth of a signature's cost; forgeries are tried elsewhere, against the real thing.
struct SimulatedTrust: AdvertisementTrust, ReceiptTrust {
    let name: NodeName

    private static func signature(_ bytes: [UInt8]) -> [UInt8] {
        let sum = CRC32C.checksum(of: bytes)
        return (0..<64).map { UInt8(truncatingIfNeeded: sum >> ($0 % 4 * 8)) }
    }

    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], certificate: [UInt8]) {
        (Self.signature(bytes), Array(name.description.utf8))
    }

    func verify(_ bytes: [UInt8], signature: [UInt8], certificate: [UInt8], origin: NodeName) -> Bool {
        certificate == Array(origin.description.utf8) && signature == Self.signature(bytes)
    }

    func receipt(for source: NodeID, _ entries: [Receipt.Entry]) -> Receipt {
        let certificate = Array(name.description.utf8)
        let bytes = Receipt.signedBytes(
            from: Identity.id(of: name), to: source, entries: entries, certificate: certificate)
        return Receipt(entries: entries, certificate: certificate, signature: Self.signature(bytes))
    }

    func verify(_ receipt: Receipt, from destination: NodeID, to source: NodeID) -> Bool {
        let bytes = Receipt.signedBytes(
            from: destination, to: source, entries: receipt.entries, certificate: receipt.certificate)
        return Identity.id(of: String(decoding: receipt.certificate, as: UTF8.self)) == destination
            && receipt.signature == Self.signature(bytes)
    }
}

/// Ids of simulated nodes: the real ones.
enum Identity {
    static func id(of name: NodeName) -> NodeID { NodeID(of: name) }
    static func id(of text: String) -> NodeID { NodeID(ofText: text) }
}
