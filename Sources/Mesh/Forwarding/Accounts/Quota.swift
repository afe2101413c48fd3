/// What may be held together before more is refused. Nothing held is ever dropped for it.
public struct Quota: Equatable, Sendable {
    /// Bytes of envelopes; nil: no bound but the node's. May be passed by one envelope, so that the longest has a way.
    public var bytes: Int?
    public var envelopes: Int?
    /// Nothing more is taken while the oldest held is older. Looked at every ``Limits/expirySweep``.
    public var age: Duration?

    public static let none = Quota()

    public init(bytes: Int? = nil, envelopes: Int? = nil, age: Duration? = nil) {
        self.bytes = bytes
        self.envelopes = envelopes
        self.age = age
    }
}
