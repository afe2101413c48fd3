import Crypto
import Envelope
import Glibc

/// What the reactor that decides wants of the one that carries. Links go by numbers that are never used again, so what is
/// said of one that is gone means nothing.
enum Order: Sendable {
    case adopt(UInt64, MovedConnection)
    case send(UInt64, Parcel)
    /// What had arrived was read; the parcel comes back.
    case emptied(UInt64, Parcel)
    case close(UInt64, rest: [UInt8], limit: Duration)
    case abort(UInt64)
}

/// What the reactor that carries has to tell.
enum Report: Sendable {
    case arrived(UInt64, Parcel)
    /// What was to be sent was given to the connection; the parcel comes back.
    case emptied(UInt64, Parcel)
    /// The last word of a link.
    case closed(UInt64, CloseReason)
}

/// A connection between two reactors: nobody watches it.
///
/// Unchecked: a TLS session belongs to the thread that uses it. The one that moves it out does not use it again, and it
/// reaches the other through a ``Chute``, whose lock orders what both do.
struct MovedConnection: @unchecked Sendable {
    let descriptor: Int32
    let session: TLSSession

    /// Where there is no reactor to take it: once only.
    func discard() { Glibc.close(descriptor) }
}

/// What may be under way between the two threads for one link and direction. Past it the sender of the bytes is held
/// back: by TCP where they come in, by what ``Channel/write(_:hasMore:)`` takes where they go out.
enum TrafficBounds {
    /// One being filled, one or two waiting, one being emptied.
    static let parcels = 4
    /// As many as a session prepares at once. What is already here cannot be overtaken by what is more urgent.
    static let bytesOut = Limits.outputBytes
}
