import Envelope

/// An envelope of which some fragments are written and some are not.
struct Fragmented {
    var token: UInt32
    var transmission: UInt64
    var total: Int
    var offset: Int
    var hop: HopFields
}

/// The half-written envelope of each lane.
struct UnderWay {
    private var control: Fragmented?
    private var live: Fragmented?
    private var bulk: Fragmented?

    subscript(lane: Lane) -> Fragmented? {
        get {
            switch lane {
            case .control: control
            case .live: live
            case .bulk: bulk
            }
        }
        set {
            switch lane {
            case .control: control = newValue
            case .live: live = newValue
            case .bulk: bulk = newValue
            }
        }
    }

    func contains(transmission: UInt64) -> Bool {
        control?.transmission == transmission || live?.transmission == transmission
            || bulk?.transmission == transmission
    }
}

/// What a call made of an envelope.
public struct Written {
    /// So many bytes of it are on their way to the socket.
    public var bytes: Int
    /// Some of them are read from where they lie when the socket takes them.
    public var isLent: Bool
}

extension Session {
    /// True while more frames should be made: below the output limit and after the peer's hello.
    @inline(__always)
    public var hasRoom: Bool { state == .established && out.count < Limits.outputBytes }

    /// True where a new envelope of this lane may be begun: credit is left and none of the lane is half written.
    public func mayBegin(_ lane: Lane) -> Bool {
        let reserve = lane == .control ? UInt64(Limits.controlReserveBytes) : 0
        return underWay[lane] == nil && bytesSent < bytesAllowed + reserve
            && inFlight.next <= envelopesAllowed + reserve / 1024
    }

    /// Lanes that may go on with a half-written envelope, and lanes that may begin one; nil without ``hasRoom``.
    ///
    /// One call for all that is asked before each envelope. It changes nothing; it is mutating because a value in a
    /// class is lent to such a call where it lies, and copied as a whole for others.
    public mutating func openLanes() -> (underWay: LaneSet, mayBegin: LaneSet)? {
        guard hasRoom else { return nil }
        var lanes: (underWay: LaneSet, mayBegin: LaneSet) = ([], [])
        for row in UInt8(0)..<3 {
            guard let lane = Lane(rawValue: row) else { continue }
            if underWay[lane] != nil {
                lanes.underWay.insert(LaneSet(lane))
            } else if mayBegin(lane) {
                lanes.mayBegin.insert(LaneSet(lane))
            }
        }
        return lanes
    }

    /// The token of the lane's half-written envelope, whose next fragment ``continueTransmission(_:envelope:)`` writes.
    public func tokenUnderWay(_ lane: Lane) -> UInt32? { underWay[lane]?.token }

    /// Begins the next transmission and writes the envelope, or its first fragment where it is longer than a frame.
    /// - Precondition: ``hasRoom`` and ``mayBegin(_:)``; `envelope` is header and body.
    /// - Parameter place: the owner's name for where the envelope lies, if it stays there until
    ///   ``takeWrittenPlaces()`` has told the name once for each call of which ``Written/isLent`` is true; nil where the
    ///   bytes must be copied.
    @discardableResult
    public mutating func transmit(
        token: UInt32, lane: Lane, hop: HopFields, envelope: UnsafeRawBufferPointer, in place: Int32? = nil
    ) -> Written {
        precondition(mayBegin(lane), "transmits only with credit")
        let number = inFlight.append(token, length: envelope.count)
        bytesSent += UInt64(envelope.count)
        let room = Limits.frameBytes - DataPrefix.size
        if envelope.count <= room {
            let prefix = DataPrefix(transmission: number, total: envelope.count, offset: 0, hop: hop)
            return write(prefix, lane, envelope, isLast: true, place)
        }
        underWay[lane] = Fragmented(
            token: token, transmission: number, total: envelope.count, offset: 0, hop: hop)
        return continueTransmission(lane, envelope: envelope, in: place)
    }

    /// Writes the next fragment of the lane's half-written envelope.
    /// - Precondition: there is one, and `envelope` holds the same bytes as at its beginning.
    /// - Parameter place: as for ``transmit(token:lane:hop:envelope:in:at:)``.
    @discardableResult
    public mutating func continueTransmission(
        _ lane: Lane, envelope: UnsafeRawBufferPointer, in place: Int32? = nil
    ) -> Written {
        guard var part = underWay[lane] else { preconditionFailure("continues what was begun") }
        precondition(part.total == envelope.count, "continues with the same envelope")
        let count = min(Limits.frameBytes - DataPrefix.size, part.total - part.offset)
        let isLast = part.offset + count == part.total
        let prefix = DataPrefix(transmission: part.transmission, total: part.total, offset: part.offset, hop: part.hop)
        let fragment = UnsafeRawBufferPointer(rebasing: envelope[part.offset..<part.offset + count])
        part.offset += count
        underWay[lane] = isLast ? nil : part
        return write(prefix, lane, fragment, isLast: isLast, place)
    }

    /// Bytes of a fragment from which on it is worth while to write it from where it lies.
    private static let lentBytes = 64 << 10

    private mutating func write(
        _ prefix: DataPrefix, _ lane: Lane, _ bytes: UnsafeRawBufferPointer, isLast: Bool, _ lender: Int32?
    ) -> Written {
        let front = FrameHeader.size + DataPrefix.size
        let lender = bytes.count < Self.lentBytes ? nil : lender
        let copied = lender == nil ? bytes.count : out.lead(behind: front)
        let place = out.reserve(front + copied)
        place.storeBytes(of: UInt32(DataPrefix.size + bytes.count).littleEndian, as: UInt32.self)
        place.storeBytes(of: FrameKind.data.rawValue, toByteOffset: 4, as: UInt8.self)
        place.storeBytes(of: lane.rawValue | (isLast ? DataFlags.last : 0), toByteOffset: 5, as: UInt8.self)
        place.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
        prefix.write(to: UnsafeMutableRawBufferPointer(rebasing: place[FrameHeader.size...]))
        let lead = UnsafeRawBufferPointer(rebasing: bytes[..<copied])
        UnsafeMutableRawBufferPointer(rebasing: place[front...]).copyMemory(from: lead)
        out.commit(front + copied)
        if let lender { out.lend(UnsafeRawBufferPointer(rebasing: bytes[copied...]), in: lender) }
        return Written(bytes: bytes.count, isLent: lender != nil)
    }

    /// Says which received transmissions are safe here, and how far the peer may go on sending: the totals of bytes
    /// and envelopes it may have sent since the session began.
    public mutating func confirm(_ safe: RangeSet, bytesGranted: UInt64, envelopesGranted: UInt64) {
        guard state == .established else { return }
        self.bytesGranted = max(self.bytesGranted, bytesGranted)
        self.envelopesGranted = max(self.envelopesGranted, envelopesGranted)
        var ranges = safe.ranges[...]
        repeat {
            let part = ranges.prefix(Limits.custodyRanges)
            ranges = ranges.dropFirst(part.count)
            out.appendFrame(.custody) { [bytes = self.bytesGranted, envelopes = self.envelopesGranted] payload in
                payload.append(bytes)
                payload.append(envelopes)
                for range in part {
                    payload.append(range.lowerBound)
                    payload.append(range.upperBound)
                }
            }
        } while !ranges.isEmpty
    }

    /// Gives a received transmission back: the peer keeps it and tries again after `delay`.
    public mutating func refuse(_ transmission: UInt64, _ reason: RefusalReason, delay: Duration) {
        guard state == .established else { return }
        out.appendFrame(.refuse) { payload in
            payload.append(transmission)
            payload.append(UInt32(clamping: delay.wholeMilliseconds))
            payload.append(reason.rawValue)
        }
    }
}
