import Crypto
import Glibc

/// A connected socket with its TLS session and its watcher, closed together and in the right order.
struct Connection {
    let descriptor: Int32
    let session: TLSSession
    let poller: Poller

    /// Takes the descriptor over, also where it throws.
    init(_ reactor: Reactor, descriptor: Int32, context: TLSContext, side: TLSSide, owner: any PollerOwner)
        throws
    {
        do {
            Socket.tune(descriptor)
            session = TLSSession(context, socket: descriptor, side: side)
            poller = try Poller(reactor, descriptor: descriptor, owner: owner)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    /// Goes on with a connection that was made on another reactor.
    init(_ reactor: Reactor, _ moved: MovedConnection, owner: any PollerOwner) throws {
        do {
            poller = try Poller(reactor, descriptor: moved.descriptor, owner: owner)
        } catch {
            moved.discard()
            throw error
        }
        descriptor = moved.descriptor
        session = moved.session
    }

    /// Once only, by the channel that owns it. Says no TLS farewell: that is a promise that nothing is missing,
    /// which only an orderly close can give.
    func close() {
        poller.close()
        Glibc.close(descriptor)
    }
}
