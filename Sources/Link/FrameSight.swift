import Envelope

/// What an onlooker sees in the bytes between two sessions.
package enum FrameSight {
    /// An envelope, whole.
    case data(transmission: UInt64, envelope: UnsafeRawBufferPointer)
    /// Word that these transmissions are safe.
    case custody(RangeSet)
    /// Anything else.
    case other

    /// Calls `body` with every frame of `bytes`, which hold whole frames alone.
    package static func forEach(in bytes: UnsafeRawBufferPointer, _ body: (FrameSight) -> Void) {
        forEachFrame(in: bytes) { header, payload in body(sight(header, payload)) }
    }

    private static func sight(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) -> FrameSight {
        if header.kind == .data, let prefix = try? DataPrefix(payload, of: payload.count) {
            return .data(
                transmission: prefix.transmission,
                envelope: UnsafeRawBufferPointer(rebasing: payload[DataPrefix.size...]))
        }
        guard header.kind == .custody else { return .other }
        var safe = RangeSet()
        var reader = ByteReader(payload)
        guard reader.integer(UInt64.self) != nil, reader.integer(UInt64.self) != nil else { return .other }
        while let first = reader.integer(UInt64.self), let last = reader.integer(UInt64.self) {
            safe.insert(first...last)
        }
        return .custody(safe)
    }

    fileprivate static func forEachFrame(
        in bytes: UnsafeRawBufferPointer, _ body: (FrameHeader, UnsafeRawBufferPointer) -> Void
    ) {
        var rest = bytes
        while rest.count >= FrameHeader.size, let header = try? FrameHeader(rest, limit: Limits.frameBytes) {
            let end = FrameHeader.size + header.length
            precondition(rest.count >= end, "frames are whole")
            body(header, UnsafeRawBufferPointer(rebasing: rest[FrameHeader.size..<end]))
            rest = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
        precondition(rest.isEmpty, "nothing but frames")
    }
}

extension Fingerprint {
    /// Bytes under way between two sessions: whole frames. Random names are renamed, and the age of an envelope is left
    /// out: it decides nothing before the end of its life.
    package mutating func addFrames(_ bytes: UnsafeRawBufferPointer) {
        add(bytes.count)
        FrameSight.forEachFrame(in: bytes) { header, payload in
            add(UInt64(header.kind.rawValue) << 8 | UInt64(header.flags))
            if header.kind == .hello, let hello = try? Hello(payload) {
                addName(hello.session)
                addName(hello.resumes)
                add(hello.safe)
            } else if header.kind == .data, let prefix = try? DataPrefix(payload, of: payload.count) {
                add(prefix.transmission)
                add(Int(prefix.hop.hopLimit))
                add(UnsafeRawBufferPointer(rebasing: payload[DataPrefix.size...]))
            } else {
                add(payload)
            }
        }
    }
}
