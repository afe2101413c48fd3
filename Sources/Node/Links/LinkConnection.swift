import Envelope
import Mesh
import Platform

/// One connection on its way through its life: dialled or accepted, then a session of the exchange, then gone.
final class LinkConnection: ChannelOwner {
    unowned let hub: LinkHub
    /// Set right after dialling or accepting.
    var channel: Channel?
    /// Whom we dialled; nil for a connection that came in.
    let target: DialTarget?
    var session: SessionID?
    var peer: NodeName?
    var openedAt = Instant.zero
    /// Stands in the hub's list of those to write to.
    var isMarked = false

    init(hub: LinkHub, target: DialTarget?) {
        self.hub = hub
        self.target = target
    }

    func channelOpened(_ channel: Channel) { hub.opened(self, channel) }
    func channelReadable(_ channel: Channel) { hub.read(self, channel) }
    func channelWritable(_ channel: Channel) { hub.markForWriting(self) }
    func channelClosed(_ channel: Channel, reason: CloseReason) { hub.closed(self, reason) }
}

/// A neighbour we dial, for ever.
final class DialTarget {
    var link: LinkConfiguration
    /// Short at the top: a peer that was restarted is back within a second or two of its return.
    var backoff = Backoff.ofLinks
    var connection: LinkConnection?
    var timer: TimerToken?
    var isStopped = false
    var lastReason = ""

    init(_ link: LinkConfiguration) { self.link = link }
}
