import Testing

@testable import Simulation

@Suite struct TraceHashTests {
    /// At every length up to some whole rounds of the lanes, each byte counts and so does where it stands.
    @Test func aDigestDependsOnEveryByte() {
        for count in 0...100 {
            var bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
            let whole = digest(bytes)
            #expect(digest(bytes + [0]) != whole)
            for place in 0..<count {
                bytes[place] ^= 1
                #expect(digest(bytes) != whole, "byte \(place) of \(count)")
                bytes[place] ^= 1
            }
            guard count > 40 else { continue }
            bytes.swapAt(3, 11)
            #expect(digest(bytes) != whole)
            bytes.swapAt(3, 11)
            bytes.swapAt(3, 35)
            #expect(digest(bytes) != whole)
        }
    }

    private func digest(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { TraceHash.digest(of: $0) } }
}
