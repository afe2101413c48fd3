import Crypto
import Testing

@Suite struct SecretBytesTests {
    @Test func keepsWhatItWasGiven() {
        #expect(SecretBytes(copying: [1, 2, 3]).exposed == [1, 2, 3])
        #expect(SecretBytes(copying: [UInt8]([1, 2, 3]).span.bytes).exposed == [1, 2, 3])
        #expect(SecretBytes(zeroed: 4).exposed == [0, 0, 0, 0])
        #expect(SecretBytes(copying: []).count == 0)
    }

    @Test func aCopyIsIndependent() {
        var original = SecretBytes(copying: [1, 2, 3])
        let copy = original.copy()
        original.withUnsafeMutableBytes { $0[0] = 9 }
        #expect(original.exposed == [9, 2, 3])
        #expect(copy.exposed == [1, 2, 3])
    }

    @Test func randomBytesDiffer() {
        #expect(SecretBytes(random: 32).exposed != SecretBytes(random: 32).exposed)
        #expect(SecretBytes(random: 0).count == 0)
    }

    @Test func comparesByContent() {
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        #expect(constantTimeEquals([], []))
        let equal = constantTimeEquals(SecretBytes(zeroed: 2), SecretBytes(copying: [0, 0]))
        #expect(equal)
        let unequal = constantTimeEquals(SecretBytes(zeroed: 2), SecretBytes(copying: [0, 1]))
        #expect(!unequal)
    }
}
