/// What a signature is for. It is part of the signed bytes, so that a signature made for one purpose never
/// passes for another, nor for one that TLS makes with the same key.
public struct SigningPurpose: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// A short constant name, without zero bytes.
    public init(_ name: StaticString) { description = name.description }

    /// The destination's word to the source that effects are durable.
    public static let receipt = SigningPurpose("receipt")
    /// A relay's advertisement of its links.
    public static let linkState = SigningPurpose("link-state")
    /// Keys handed to a node.
    public static let grant = SigningPurpose("grant")

    /// `gridrelay 1 `, the name, a zero byte, the message.
    func framing(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var framed = Array("gridrelay 1 \(description)".utf8)
        framed.append(0)
        framed.append(contentsOf: message)
        return framed
    }
}
