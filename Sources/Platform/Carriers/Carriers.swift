import CUV

/// Threads that carry channels for a reactor that only decides: each reads, decrypts, encrypts and writes for the channels
/// pinned to it. To its owner a channel that is carried is like any other.
///
/// Belongs to the thread of the reactor it serves.
public final class Carriers {
    private let home: Reactor
    private var carriers: [Carrier] = []

    /// Starts the threads.
    /// - Parameters:
    ///   - home: the reactor whose channels are carried, and on whose thread their owners hear of them.
    ///   - count: how many threads, at least 1.
    /// - Throws: ``ThreadError`` or ``ReactorError``; then none is left running.
    public init(_ home: Reactor, count: Int) throws {
        precondition(count > 0, "nobody carries nothing")
        self.home = home
        do {
            for number in 1...count { carriers.append(try Carrier(home, name: "links-\(number)")) }
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    /// How many threads carry.
    public var count: Int { carriers.count }

    /// Channels of each thread now.
    public var loads: [Int] { carriers.map(\.load) }

    /// Gives the channel to the thread that has the fewest.
    /// - Precondition: the handshake is done, and nothing has been read or written since.
    public func carry(_ channel: Channel) {
        precondition(channel.reactor === home, "carries its own reactor's channels")
        carriers.min { $0.load < $1.load }?.carry(channel)
    }

    /// Ends the threads, and what they carry with ``CloseReason/shutDown``. Channels are told at the end of the turn,
    /// where there is one. May be called again.
    public func stop() {
        for carrier in carriers { carrier.stop() }
        carriers = []
    }
}

extension Process {
    /// Processor cores that this process may use.
    public static var cores: Int { max(1, Int(uv_available_parallelism())) }
}
