/// What a source or a sink says where it does not do as asked.
package struct ConnectorFailure: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        /// Trying again later can help. Whether a commit had its effect is not known.
        case transient
        /// A person must change something. Whether a commit had its effect is not known.
        case configuration
        /// These very records are not taken; nothing has happened.
        case rejected
    }

    package var kind: Kind
    /// Without the records' content.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
