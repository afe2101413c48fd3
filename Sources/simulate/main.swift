import Glibc
import Simulation

let start = ContinuousClock.now
exit(
    SimulateCommand.run(
        Array(CommandLine.arguments.dropFirst()), commit: getenv("GRIDRELAY_COMMIT").map { String(cString: $0) },
        stopwatch: { ContinuousClock.now - start }))
