import Crypto
import Envelope

/// What names the keys of a stream at its destination.
struct StreamPlace: Hashable {
    var source: NodeID
    var stream: StreamID
    var key: KeyID
}

/// The contexts of one stream at its destination. A class, since a collection cannot hold what cannot be copied.
final class RememberedStream {
    let place: StreamPlace
    var contexts: StreamContexts
    var lastUse: UInt64 = 0

    init(_ place: StreamPlace, _ keys: PairKeys, destination: NodeID) {
        self.place = place
        contexts = StreamContexts(keys, from: place.source, to: destination, stream: place.stream)
    }
}

extension StreamContexts {
    /// Opens the body behind the header into `output`; false where it is not authentic.
    mutating func decrypt(
        _ header: Header, _ envelope: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> Bool {
        do throws(CryptoError) {
            try traffic.open(
                nonce: Nonce(counter: header.sequence.number),
                authenticating: UnsafeRawBufferPointer(rebasing: envelope[..<Header.size]),
                sealed: UnsafeRawBufferPointer(rebasing: envelope[Header.size...]), into: output)
            return true
        } catch {
            return false
        }
    }

    /// Checks structure, then code.
    /// - Precondition: `body` has room for both and for the head of a compressed part.
    /// - Returns: the compressed part.
    mutating func check(
        _ header: Header, _ envelope: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer
    ) throws(OpenError) -> UnsafeRawBufferPointer {
        let structure = UnsafeRawBufferPointer(rebasing: body[..<StructureCode.size])
        guard structure.elementsEqual(StructureCode.bytes(header.kind)) else { throw .wrongStructure }
        let codePlace = body.count - SealedBody.codeSize
        let given = UnsafeRawBufferPointer(rebasing: body[codePlace...])
        guard isCode(given, of: envelope, body, until: codePlace) else { throw .wrongCode }
        return UnsafeRawBufferPointer(rebasing: body[StructureCode.size..<codePlace])
    }

    private mutating func isCode(
        _ given: UnsafeRawBufferPointer, of envelope: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
        until end: Int
    ) -> Bool {
        code.update(UnsafeRawBufferPointer(rebasing: envelope[..<Header.size]))
        code.update(UnsafeRawBufferPointer(rebasing: body[..<end]))
        return withUnsafeTemporaryAllocation(byteCount: HMACSHA256Key.codeBytes, alignment: 16) { whole in
            do throws(CryptoError) { try code.finish(into: whole) } catch { preconditionFailure("the code has room") }
            return constantTimeEquals(UnsafeRawBufferPointer(rebasing: whole[..<SealedBody.codeSize]), given)
        }
    }
}
