import Envelope
import Mesh
import Platform

extension Bytes16 {
    /// The id of this boot of the machine; ``unknownBoot`` where the kernel does not tell it.
    public static var currentBoot: Bytes16 {
        Bytes16(hexadecimal: Clock.bootID.filter { $0 != "-" }) ?? unknownBoot
    }
}
