#if CANARIES
    /// A bug planted on purpose, to see whether the simulator notices it. Each breaks one rule that the mesh rests on.
    ///
    /// Compiled only where `CANARIES` is set, which `Package.swift` does for a build that has `simulate` and no daemon.
    public enum Canary: String, CaseIterable, Sendable {
        /// A commit counts as durable though the disk was not told to synchronize.
        case acknowledgeBeforeSync = "acknowledge-before-sync"
        /// Names of files are not made durable.
        case noDirectorySync = "no-directory-sync"
        /// A start keeps of each segment what lies before the first bad record.
        case truncateAtFirstBadRecord = "truncate-at-first-bad-record"
        /// A synchronize that failed is tried again, and its success believed.
        case retryFailedSync = "retry-failed-sync"
        /// Custody is given for an envelope that was here before, wherever it is now.
        case acknowledgeSeenBefore = "acknowledge-seen-before"
        /// An envelope that comes again while it is stored here counts as stored.
        case mergeInstances = "merge-instances"
        /// The word for one transmission lets go of those before it.
        case releaseOtherTransmission = "release-other-transmission"
        /// A sink's mark is durable before the effect.
        case markBeforeEffect = "mark-before-effect"
        /// A sink's effect is durable before the mark.
        case effectBeforeMark = "effect-before-mark"
        /// A stream keeps its id over a restart, and its numbers begin anew.
        case streamKeptAcrossRestart = "stream-kept-across-restart"
        /// What the store has no room for is dropped.
        case evictWhenFull = "evict-when-full"
        /// An envelope's life is measured by the time of day.
        case lifetimeByWallClock = "lifetime-by-wall-clock"
        /// A relay's number of starts is not stored.
        case bootNotPersisted = "boot-not-persisted"
        /// Of two advertisements with one number the one that comes last counts.
        case equalAdvertisementByArrival = "equal-advertisement-by-arrival"

        /// The one at work; set before a run, read by its one thread.
        nonisolated(unsafe) public static var planted: Canary?

        @inline(__always)
        public static func isPlanted(_ canary: Canary) -> Bool { planted == canary }
    }
#endif
