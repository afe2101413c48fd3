import CUV
import Envelope
import Glibc

/// Random bytes from the kernel (getrandom), fit for keys.
public enum Entropy {
    /// Fills the whole buffer.
    ///
    /// getrandom fails on Linux only where a sandbox forbids it; going on with predictable bytes would be worse
    /// than stopping, so that stops the process.
    public static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var filled = 0
        while filled < buffer.count {
            let count = getrandom(buffer.baseAddress! + filled, buffer.count - filled, 0)
            if count > 0 {
                filled += count
            } else {
                precondition(
                    count < 0 && errno == EINTR, "the kernel gives no random bytes (getrandom, errno \(errno))")
            }
        }
    }

    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }

    /// Sixteen random bytes, for identifiers.
    public static func bytes16() -> Bytes16 {
        Bytes16(low: word(), high: word())
    }

    /// A random word, for jitter and seeds.
    public static func word() -> UInt64 {
        var word: UInt64 = 0
        withUnsafeMutableBytes(of: &word) { fill($0) }
        return word
    }
}
