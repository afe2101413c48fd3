import Envelope

/// Links whose word of custody waits a little, so that one word speaks of more: a word costs a record of TLS and a turn
/// at both ends, however little it says.
struct PausedWords {
    private var links: [(link: LinkIndex, until: Instant)] = []
    /// Place of the first that still waits.
    private var first = 0

    /// When the first of them is to be said.
    var nextDeadline: Instant { first < links.count ? links[first].until : .never }

    /// - Precondition: times rise from call to call, and no link waits twice.
    mutating func append(_ link: LinkIndex, until: Instant) { links.append((link, until)) }

    /// Takes a link whose time has come.
    mutating func takeDue(_ now: Instant) -> LinkIndex? {
        guard first < links.count, links[first].until <= now else { return nil }
        let link = links[first].link
        first += 1
        if first * 2 >= links.count {
            links.removeFirst(first)
            first = 0
        }
        return link
    }
}

extension Forwarder {
    /// Whether the neighbour is to hear now of what is safe and how much more it may send. One word comes at once; who
    /// has just had one waits for the next, unless it would soon have to wait for credit.
    mutating func maySayWord(to link: LinkIndex, at now: Instant) -> Bool {
        guard links[link].ledger.isDue else { return false }
        if links[link].ledger.isPressing || now >= links[link].nextWordAt || isDraining {
            links[link].nextWordAt = now + configuration.wordPause
            return true
        }
        if !links[link].isWordPaused {
            links[link].isWordPaused = true
            pausedWords.append(link, until: now + configuration.wordPause)
        }
        return false
    }

    mutating func sayPausedWords(_ now: Instant) {
        while let link = pausedWords.takeDue(now) {
            links[link].isWordPaused = false
            links[link].nextWordAt = .zero
            markDirty(link)
        }
    }
}
