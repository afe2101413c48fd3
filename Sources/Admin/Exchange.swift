import CCurl
import Glibc
import Node

/// One request and its answer over libcurl.
enum Exchange {
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
    }

    /// Bytes of an answer: a full mailbox page of the largest messages stays below it.
    static let answerBytes = 256 << 20

    /// The library's own start must come before its first use and is not safe on two threads.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    static func perform(
        _ request: AdminRequest, socket: String, timeout: Duration
    ) throws(ClientError) -> Answer {
        guard (try? SocketPath(socket)) != nil else { throw .pathTooLong(socket) }
        guard isReady, let handle = curl_easy_init() else {
            throw .broken(socket, reason: "libcurl did not start: too little memory")
        }
        defer { curl_easy_cleanup(handle) }
        let collector = Collector()
        var body = request.body
        // The library reads the body while it performs, so the bytes must stay where they are until then.
        let code = body.withUnsafeMutableBytes { bytes in
            configure(handle, request, UnsafeRawBufferPointer(bytes), socket, timeout, collector)
                ? curl_easy_perform(handle) : CURLE_FAILED_INIT
        }
        guard code == CURLE_OK else {
            throw failure(code, handle, socket, timeout, collector)
        }
        var status = 0
        _ = relay_curl_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return Answer(status: status, body: collector.bytes)
    }

    private static func configure(
        _ handle: UnsafeMutableRawPointer, _ request: AdminRequest, _ body: UnsafeRawBufferPointer, _ socket: String,
        _ timeout: Duration, _ collector: Collector
    ) -> Bool {
        let milliseconds =
            Int(clamping: timeout.components.seconds) &* 1000
            &+ Int(timeout.components.attoseconds / 1_000_000_000_000_000)
        var codes = [
            relay_curl_set_text(handle, CURLOPT_UNIX_SOCKET_PATH, socket),
            relay_curl_set_text(handle, CURLOPT_URL, "http://node" + QueryText.target(of: request)),
            // Or the library would take `..` for a step upwards, and ask for something else.
            relay_curl_set_long(handle, CURLOPT_PATH_AS_IS, 1),
            relay_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http"),
            // A proxy from the environment has no business with a Unix socket.
            relay_curl_set_text(handle, CURLOPT_NOPROXY, "*"),
            // Time-outs by signals would hit other threads.
            relay_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
            relay_curl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, milliseconds)),
            relay_curl_on_write(handle, Collector.write, Unmanaged.passUnretained(collector).toOpaque()),
        ]
        if request.method == "POST" || request.method == "PUT" {
            codes.append(relay_curl_set_long(handle, CURLOPT_POST, 1))
            codes.append(relay_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            // Not nil for an empty body, which would make the library read standard input.
            codes.append(relay_curl_set_pointer(handle, CURLOPT_POSTFIELDS, body.baseAddress ?? emptyBody))
        }
        codes.append(relay_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method))
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    /// One byte that is never read; lives as long as the process.
    private nonisolated(unsafe) static let emptyBody = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

    private static func failure(
        _ code: CURLcode, _ handle: UnsafeMutableRawPointer, _ socket: String, _ timeout: Duration,
        _ collector: Collector
    ) -> ClientError {
        switch code {
        case CURLE_OPERATION_TIMEDOUT: return .timeout(socket, after: timeout)
        case CURLE_COULDNT_CONNECT:
            var number = 0
            _ = relay_curl_long(handle, CURLINFO_OS_ERRNO, &number)
            switch Int32(truncatingIfNeeded: number) {
            case ENOENT, ENOTDIR: return .noSocket(socket)
            case ECONNREFUSED, ENOTSOCK: return .notListening(socket)
            case EACCES, EPERM: return .permissionDenied(socket)
            default: return .broken(socket, reason: String(cString: strerror(Int32(truncatingIfNeeded: number))))
            }
        case CURLE_WRITE_ERROR where collector.isFull:
            return .badAnswer(socket, reason: "the answer is larger than \(answerBytes >> 20) MiB")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2:
            return .badAnswer(socket, reason: String(cString: curl_easy_strerror(code)))
        default: return .broken(socket, reason: String(cString: curl_easy_strerror(code)))
        }
    }
}

/// Gathers the answer's body. The library calls it on the thread that performs.
private final class Collector {
    var bytes: [UInt8] = []
    var isFull = false

    static let write: relay_curl_write = { source, size, count, context in
        guard let source, let context else { return 0 }
        let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
        let length = size * count
        guard collector.bytes.count + length <= Exchange.answerBytes else {
            collector.isFull = true
            return 0
        }
        collector.bytes.append(contentsOf: UnsafeRawBufferPointer(start: source, count: length))
        return length
    }
}

/// A request's target as HTTP wants it.
enum QueryText {
    static func target(of request: AdminRequest) -> String {
        let path = request.path.split(separator: "/", omittingEmptySubsequences: false).map(escaped)
        let query = request.query.sorted { $0.key < $1.key }.map { "\(escaped($0.key))=\(escaped($0.value))" }
        return path.joined(separator: "/") + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
    static func escaped(_ text: some StringProtocol) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if plain.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
