import Envelope

/// What a peer did that ends the session. The session is unusable afterwards; all else goes on.
public enum SessionError: Error, Equatable, Sendable, CustomStringConvertible {
    case notThisProtocol
    case noCommonVersion(peerLowest: UInt16, peerHighest: UInt16)
    case wrongName(claimed: String, certified: String)
    case unknownFrame(UInt8)
    case frameTooLong(Int, limit: Int)
    case malformed(String)
    case unexpected(String)
    case overCredit
    case helloTooLate
    case silent
    case notReading
    case left(ByeReason, String)

    public var description: String {
        switch self {
        case .notThisProtocol:
            "the peer does not speak the GridRelay link protocol; check that the port is a relay's"
        case .noCommonVersion(let lowest, let highest):
            "the peer speaks protocol versions \(lowest) to \(highest), we speak \(ProtocolVersion.lowest) to \(ProtocolVersion.highest); upgrade the older node"
        case .wrongName(let claimed, let certified):
            "the peer says it is \(claimed.prefix(128)) but its certificate names \(certified); check which certificate it was given"
        case .unknownFrame(let kind): "the peer sent a frame of unknown kind \(kind)"
        case .frameTooLong(let length, let limit): "the peer announced a frame of \(length) bytes, \(limit) are allowed"
        case .malformed(let what): "the peer sent \(what)"
        case .unexpected(let what): "the peer sent \(what) at the wrong time"
        case .overCredit: "the peer sent more than it had credit for"
        case .helloTooLate: "the peer did not introduce itself in time"
        case .silent: "nothing was heard from the peer for \(Limits.silence.components.seconds) s"
        case .notReading: "the peer sends but does not read; \(Limits.unreadBytes >> 20) MiB wait for it"
        case .left(let reason, let text):
            "the peer closed the session: \(reason)\(text.isEmpty ? "" : " (\(text.prefix(200)))")"
        }
    }
}

/// Why a session ends, as said to the peer.
public enum ByeReason: UInt8, Sendable, CustomStringConvertible {
    case stopping = 1
    case replaced = 2
    case protocolError = 3
    case notAllowed = 4
    case versionMismatch = 5
    case silent = 6

    public var description: String {
        switch self {
        case .stopping: "it is stopping"
        case .replaced: "a newer session took this one's place"
        case .protocolError: "we broke the protocol in its eyes"
        case .notAllowed: "it does not allow us to connect"
        case .versionMismatch: "no common protocol version"
        case .silent: "it heard nothing from us"
        }
    }
}

extension SessionError {
    /// What to tell the peer when this error ends the session.
    public var bye: ByeReason {
        switch self {
        case .noCommonVersion: .versionMismatch
        case .wrongName: .notAllowed
        case .silent, .helloTooLate, .notReading: .silent
        case .left: .stopping
        case .notThisProtocol, .unknownFrame, .frameTooLong, .malformed, .unexpected, .overCredit: .protocolError
        }
    }
}

/// Versions of the link protocol this build speaks. A session uses the highest both ends know.
public enum ProtocolVersion {
    public static let lowest: UInt16 = 1
    public static let highest: UInt16 = 1
}

/// Why a receiver does not take an envelope. It stays with the sender, who tries again after a delay.
public enum RefusalReason: UInt8, Sendable, CustomStringConvertible {
    case storageFull = 1
    case notPermitted = 2
    case destinationBusy = 3
    case stopping = 4
    /// The refuser has not heard yet of a node that the envelope names, so it cannot say whether a flow permits it.
    case unknownNode = 5
    /// This envelope cannot be taken for some time, and others to the same destination can.
    case setAside = 6

    /// True where only this envelope waits, and others of its queue pass it.
    public var concernsOneEnvelope: Bool {
        switch self {
        case .notPermitted, .unknownNode, .setAside: true
        case .storageFull, .destinationBusy, .stopping: false
        }
    }

    public var description: String {
        switch self {
        case .storageFull: "storage full"
        case .notPermitted: "no flow permits it"
        case .destinationBusy: "destination busy"
        case .stopping: "stopping"
        case .unknownNode: "a node not heard of yet"
        case .setAside: "set aside for a while"
        }
    }
}
