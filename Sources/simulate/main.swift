import Glibc
import Simulation

let start = ContinuousClock.now
exit(
    SimulateCommand.run(Array(CommandLine.arguments.dropFirst()), stopwatch: { ContinuousClock.now - start }))
