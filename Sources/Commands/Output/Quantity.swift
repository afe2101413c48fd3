import Envelope

/// Figures as people read them.
enum Quantity {
    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        guard count >= 1024 else { return "\(count) B" }
        for unit in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
            value /= 1024
            if value < 999.95 || unit == "PiB" { return "\(decimal(value, places: 1)) \(unit)" }
        }
        return "\(count) B"
    }

    static func roundTrip(microseconds: UInt64) -> String {
        let milliseconds = Double(microseconds) / 1000
        return milliseconds < 1000
            ? "\(decimal(milliseconds, places: milliseconds < 10 ? 2 : 1)) ms"
            : "\(decimal(milliseconds / 1000, places: 1)) s"
    }

    /// The two largest units, such as `3 d 4 h`.
    static func age(seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "?" }
        if seconds < 10 { return "\(decimal(seconds, places: 1)) s" }
        let whole = UInt64(min(seconds.rounded(), 1e15))
        let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86_400)
        if whole < 60 { return "\(whole) s" }
        if minutes < 60 { return "\(minutes) min" + (minutes < 10 && whole % 60 > 0 ? " \(whole % 60) s" : "") }
        if hours < 48 { return "\(hours) h \(minutes % 60) min" }
        return "\(days) d \(hours % 24) h"
    }

    /// How long before now something was, such as `3 s ago`.
    static func ago(_ time: WallTime, now: WallTime) -> String {
        let seconds = (now.milliseconds &- time.milliseconds) / 1000
        if seconds < 1 { return "now" }
        return (seconds < 60 ? "\(seconds) s" : age(seconds: Double(seconds))) + " ago"
    }

    /// Digits in groups of three.
    static func count(_ number: UInt64) -> String {
        let digits = Array(String(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    static func decimal(_ value: Double, places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (value * scale).rounded()
        guard scaled.isFinite, abs(scaled) < 1e15 else { return "?" }
        let whole = Int64(scaled)
        let digits = String(whole.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return (whole < 0 ? "-" : "") + padded.dropLast(places) + (places > 0 ? "." + padded.suffix(places) : "")
    }
}
