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
    /// Decrypts the body behind the header, what stands before the data into `head` and the rest into `rest`, then checks
    /// structure and code, which is at the end of `rest`.
    /// - Precondition: `head` has ``SealedBody/headSize`` bytes, `rest` what is left of the body, the code at least.
    /// - Returns: what is wrong with it.
    mutating func open(
        _ header: Header, _ envelope: UnsafeRawBufferPointer, into head: UnsafeMutableRawBufferPointer,
        _ rest: UnsafeMutableRawBufferPointer
    ) -> OpenError? {
        let associated = UnsafeRawBufferPointer(rebasing: envelope[..<Header.size])
        do throws(CryptoError) {
            try traffic.open(
                nonce: Nonce(counter: header.sequence.number), authenticating: associated,
                sealed: UnsafeRawBufferPointer(rebasing: envelope[Header.size...]), into: head, rest)
        } catch {
            return .notAuthentic
        }
        guard head[..<StructureCode.size].elementsEqual(StructureCode.bytes(header.kind)) else {
            return .wrongStructure
        }
        let codePlace = rest.count - SealedBody.codeSize
        code.update(associated)
        code.update(UnsafeRawBufferPointer(head))
        code.update(UnsafeRawBufferPointer(rebasing: rest[..<codePlace]))
        let isRight = withUnsafeTemporaryAllocation(byteCount: HMACSHA256Key.codeBytes, alignment: 16) { whole in
            do throws(CryptoError) { try code.finish(into: whole) } catch { preconditionFailure("the code has room") }
            let expected = UnsafeRawBufferPointer(rebasing: whole[..<SealedBody.codeSize])
            return constantTimeEquals(expected, UnsafeRawBufferPointer(rebasing: rest[codePlace...]))
        }
        return isRight ? nil : .wrongCode
    }
}
