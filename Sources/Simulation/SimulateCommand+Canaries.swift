#if CANARIES
    import Envelope

    extension SimulateCommand {
        /// `--canaries` lists the bugs that can be planted; `--plant NAME` before anything else plants one.
        static func plant(_ arguments: [String], _ commit: String?, _ stopwatch: @escaping Stopwatch) -> Int32? {
            switch arguments.first {
            case "--canaries":
                for canary in Canary.allCases { print(canary.rawValue) }
                return 0
            case "--plant":
                guard arguments.count > 2, let canary = Canary(rawValue: arguments[1]) else {
                    print("simulate: --plant takes a name of --canaries and then what to run")
                    return 2
                }
                Canary.planted = canary
                return run(Array(arguments.dropFirst(2)), commit: commit, stopwatch: stopwatch)
            default: return nil
            }
        }
    }
#endif
