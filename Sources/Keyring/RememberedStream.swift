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
