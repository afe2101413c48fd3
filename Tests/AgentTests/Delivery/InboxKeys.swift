import Crypto
import Envelope
import Keyring
import Node
import Platform
import Testing

@testable import Agent
@testable import AgentCore

/// Seals envelopes as a source would for the agent of a test.
struct InboxKeys {
    let pair: KeyedPair

    init() throws { pair = try KeyedPair(salts: [0, 1]) }

    /// - Parameters:
    ///   - keys: whose keys; the source's where nil.
    ///   - destination: to whom; the pair's destination where nil.
    func envelope(
        _ sequence: UInt64, _ values: [String], topic: String = "topic", keys: Keychain? = nil,
        from source: String = KeyedPair.source, to destination: String = KeyedPair.destination, stream: UInt64 = 1
    ) throws -> [UInt8] {
        try sealed(
            Sample.batch(values, topic: topic), sequence, keys: keys ?? pair.sourceKeys(), from: source,
            to: destination, stream: stream)
    }

    func sealed(
        _ batch: [UInt8], _ sequence: UInt64, keys: Keychain, from source: String = KeyedPair.source,
        to destination: String = KeyedPair.destination, stream: UInt64 = 1, compression: Compression = .none
    ) throws -> [UInt8] {
        let destination = NodeID(of: try NodeName(destination))
        let pairKeys = try #require(keys.sealing(for: destination, at: Clock.wall))
        var sealer = Sealer(
            pairKeys, from: NodeID(of: try NodeName(source)), to: destination, stream: Sample.stream(stream))
        var envelope: [UInt8] = []
        try sealer.seal(
            batch, sequence: Sequence(sequence), floor: Sequence(1), created: Clock.wall, lifetime: 3600, lane: .live,
            compression: compression, into: &envelope)
        return envelope
    }
}
