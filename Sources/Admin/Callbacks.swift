import CMicroHTTPD
import Node

/// The library's way into Swift. These run on the library's own threads, so they are written where no actor is:
/// a closure of the main actor would trap there.
enum Callbacks {
    static let access: MHD_AccessHandlerCallback = { context, connection, url, method, _, bytes, count, slot in
        guard let context, let connection, let url, let method, let count, let slot else { return .NO }
        let dispatcher = Unmanaged<Dispatcher>.fromOpaque(context).takeUnretainedValue()
        guard let held = slot.pointee else {
            return begin(dispatcher, connection, url, method, slot)
        }
        let call = Unmanaged<IncomingCall>.fromOpaque(held).takeUnretainedValue()
        if count.pointee > 0 {
            let goesOn = call.receive(UnsafeRawBufferPointer(start: bytes, count: count.pointee))
            count.pointee = 0
            return goesOn ? .YES : .NO
        }
        return queue(dispatcher.answer(call), on: connection)
    }

    static let completed: MHD_RequestCompletedCallback = { _, _, slot, _ in
        guard let slot, let held = slot.pointee else { return }
        Unmanaged<IncomingCall>.fromOpaque(held).release()
        slot.pointee = nil
    }

    /// The headers are there, the body is not.
    private static func begin(
        _ dispatcher: Dispatcher, _ connection: OpaquePointer, _ url: UnsafePointer<CChar>,
        _ method: UnsafePointer<CChar>, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    ) -> MHD_Result {
        let announced = MHD_lookup_connection_value(connection, .HEADER_KIND, "Content-Length")
        // Answered before the body, so that a caller who asks first need not send it.
        if let announced, (Int(String(cString: announced)) ?? .max) > Server.Bounds.bodyBytes {
            return queue(Dispatcher.tooLarge, on: connection)
        }
        let request = AdminRequest(
            method: String(cString: method), path: String(cString: url), query: query(of: connection))
        slot.pointee = Unmanaged.passRetained(IncomingCall(request, dispatcher)).toOpaque()
        return .YES
    }

    private static func query(of connection: OpaquePointer) -> [String: String] {
        var query: [String: String] = [:]
        withUnsafeMutablePointer(to: &query) { pointer in
            _ = MHD_get_connection_values(
                connection, .GET_ARGUMENT_KIND,
                { context, _, name, value in
                    guard let context, let name else { return .YES }
                    let query = context.assumingMemoryBound(to: [String: String].self)
                    query.pointee[String(cString: name)] = value.map { String(cString: $0) } ?? ""
                    return .YES
                }, pointer)
        }
        return query
    }

    private static func queue(_ answer: EncodedResponse, on connection: OpaquePointer) -> MHD_Result {
        var body = answer.body
        let response = body.withUnsafeMutableBytes {
            MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
        }
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Content-Type", answer.contentType)
        return MHD_queue_response(connection, UInt32(clamping: max(answer.status, 100)), response)
    }
}
