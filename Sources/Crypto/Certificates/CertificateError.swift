import Envelope

/// Why a certificate or an authority cannot be used, and what a person must do.
public enum CertificateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Neither PEM nor DER of one certificate.
    case unreadable(reason: String)
    /// The subject's alternative names do not hold exactly one URI of the form `gridrelay://zone/name`.
    case noNodeName(found: String)
    /// The certificate's key is not Ed25519.
    case unsupportedKey(found: String)
    /// Not a certificate that may sign others.
    case notAnAuthority
    /// More authorities in one file than ``AuthorityCertificate/limit``.
    case tooManyAuthorities(Int)
    /// The private key belongs to another certificate.
    case keyDoesNotMatch
    /// A private key that cannot be read.
    case key(CryptoError)
    /// A life below one day or above ``Authority/longestDays``.
    case unusableLife(days: Int)
    /// Signed by none of the authorities given.
    case otherAuthority(issuer: String)
    case expired(at: WallTime)
    case notYetValid(until: WallTime)
    /// Anything else the chain check found, in OpenSSL's words.
    case untrusted(reason: String)

    public var description: String {
        switch self {
        case .unreadable(let reason):
            "no readable certificate (\(reason)); expected PEM that begins '-----BEGIN CERTIFICATE-----'"
        case .noNodeName(let found):
            """
            the certificate is no node's: expected one URI gridrelay://zone/name among its alternative names, \
            found \(found); make it with relayctl node create
            """
        case .unsupportedKey(let found):
            "the certificate's key is of kind \(found), but a node's key is ED25519; make it with relayctl node create"
        case .notAnAuthority:
            "the certificate may not sign others; give the authority's own, made by relayctl ca create"
        case .tooManyAuthorities(let count):
            "\(count) authorities in one file; at most \(AuthorityCertificate.limit) are trusted at a time"
        case .keyDoesNotMatch:
            "the private key does not belong to the certificate; put the pair made together by relayctl in place"
        case .key(let error):
            error.description
        case .unusableLife(let days):
            "a life of \(days) days cannot be had; choose 1 to \(Authority.longestDays)"
        case .otherAuthority(let issuer):
            """
            the certificate is signed by another authority ('\(issuer)') than this mesh trusts; have it issued by \
            this mesh's authority, or add that authority to the trusted ones
            """
        case .expired(let time):
            "the certificate expired at \(time.calendar); issue a new one with relayctl node create"
        case .notYetValid(let time):
            "the certificate is not valid before \(time.calendar); set the clocks of both nodes"
        case .untrusted(let reason):
            "the certificate cannot be trusted: \(reason)"
        }
    }
}

extension WallTime {
    /// `2026-11-21 10:05 UTC`: a person's reading of a time, by the proleptic Gregorian calendar.
    var calendar: String {
        let minutes = milliseconds.dividedToFloor(by: 60_000)
        let days = minutes.dividedToFloor(by: 1_440)
        let minute = minutes - days * 1_440
        // Days since 0000-03-01, in eras of 400 years (H. Hinnant, "chrono-compatible date algorithms").
        let shifted = days + 719_468
        let era = shifted.dividedToFloor(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(year)-\(two(month))-\(two(day)) \(two(minute / 60)):\(two(minute % 60)) UTC"
    }
}

extension Int64 {
    fileprivate func dividedToFloor(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
