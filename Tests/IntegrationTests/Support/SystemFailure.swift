import Glibc

/// A call to the system that a test cannot do without has failed.
struct SystemFailure: Error, CustomStringConvertible {
    var description: String

    init(_ call: String, _ code: Int32 = errno) { description = "\(call): \(String(cString: strerror(code)))" }
    init(text: String) { description = text }
}
