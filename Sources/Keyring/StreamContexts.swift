import Crypto
import Envelope

/// The keyed contexts of one direction of one stream: of the sealing, and of the security code within it.
///
/// The code is an HMAC over the header, which no other envelope has, and the batch. Since its second version data
/// that is not short goes into it as its GMAC, under a third key, which takes a fifth of the time: a universal hash within a
/// pseudorandom function (Wegman and Carter, 1981). docs/protocol.md says what that is worth.
struct StreamContexts: ~Copyable {
    var traffic: AEADKey
    private var code: HMACSHA256Key
    private var digest: GMACKey

    init(_ keys: PairKeys, from source: NodeID, to destination: NodeID, stream: StreamID) {
        func derive(_ secret: SharedSecret, _ label: String) -> SecretBytes {
            Derivation.stream(secret, label, from: source, to: destination, stream: stream, key: keys.digest)
        }
        do throws(CryptoError) {
            traffic = try AEADKey(derive(keys.key, Derivation.trafficLabel))
            digest = try GMACKey(derive(keys.code, Derivation.digestLabel))
        } catch {
            preconditionFailure("a derived key has 32 bytes")
        }
        code = HMACSHA256Key(derive(keys.code, Derivation.codeLabel))
    }

    /// Lends the security code of an envelope.
    /// - Parameters:
    ///   - head: what stands before the data in the body: structure code, codec and uncompressed length.
    ///   - data: the rest of the compressed part.
    mutating func withCode<Value>(
        _ version: StructureCode.Version, _ header: UnsafeRawBufferPointer, _ head: UnsafeRawBufferPointer,
        _ data: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Value
    ) -> Value {
        code.update(header)
        code.update(head)
        if version == .second, data.count >= SealedBody.digestedFrom {
            code.update(digest.tag(of: data).span.bytes)
        } else {
            code.update(data)
        }
        return withUnsafeTemporaryAllocation(byteCount: HMACSHA256Key.codeBytes, alignment: 16) { whole in
            do throws(CryptoError) { try code.finish(into: whole) } catch { preconditionFailure("the code has room") }
            return body(UnsafeRawBufferPointer(rebasing: whole[..<SealedBody.codeSize]))
        }
    }

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
        let start = UnsafeRawBufferPointer(head)
        guard let version = StructureCode.version(of: start, header.kind) else { return .wrongStructure }
        let codePlace = rest.count - SealedBody.codeSize
        let data = UnsafeRawBufferPointer(rebasing: rest[..<codePlace])
        let isRight = withCode(version, associated, start, data) { code in
            constantTimeEquals(code, UnsafeRawBufferPointer(rebasing: rest[codePlace...]))
        }
        return isRight ? nil : .wrongCode
    }
}
