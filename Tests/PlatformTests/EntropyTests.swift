import Envelope
import Testing

@testable import Platform

struct EntropyTests {
    @Test(arguments: [0, 1, 16, 255, 256, 257, 70_000])
    func givesAsManyBytesAsAsked(count: Int) {
        let bytes = Entropy.bytes(count)
        #expect(bytes.count == count)
        // 256 random bytes with fewer than 100 different values do not happen.
        if count >= 256 { #expect(Set(bytes).count > 100) }
    }

    @Test func identifiersDiffer() {
        #expect(Set((0..<1000).map { _ in Entropy.bytes16() }).count == 1000)
    }
}
