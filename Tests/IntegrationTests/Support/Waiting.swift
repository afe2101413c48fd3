import Glibc

/// Something that had to become true did not.
struct TimedOut: Error, CustomStringConvertible {
    var description: String
}

/// Asks again and again until `condition` holds. An error counts as "not yet"; the last one is told in the end.
///
/// - Parameter detail: what to say of the state where it never came true.
func eventually(
    _ what: String, within limit: Duration = .seconds(30), detail: @autoclosure () -> String = "",
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    var last = ""
    while true {
        do {
            if try await condition() { return }
            last = ""
        } catch let error as CancellationError {
            throw error
        } catch {
            last = "; last error: \(error)"
        }
        guard ContinuousClock.now < end else {
            let state = detail()
            throw TimedOut(description: "not within \(limit): \(what)\(last)\(state.isEmpty ? "" : "\n" + state)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Whether the long forms are to be run.
let isSoak = getenv("GRIDRELAY_SOAK").map { String(cString: $0) == "1" } ?? false

/// Whether the programs have a sanitizer in them, whose own memory is then in the way of tests that measure or search
/// memory; scripts/sanitize.sh says so.
let isSanitized = getenv("GRIDRELAY_SANITIZER") != nil

/// A seed from the environment, or a new one; printed, so that a failure can be run again.
func makeSeed(_ test: String) -> UInt64 {
    let given = getenv("GRIDRELAY_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 1...(.max))
    print("\(test): GRIDRELAY_SEED=\(seed)")
    return seed
}
