/// Queues that can send over one link in one lane, in turn: a list threaded through the queues, so that a queue that
/// moves to another link leaves nothing behind.
struct TurnList {
    var first: Int32 = -1
    var last: Int32 = -1

    var isEmpty: Bool { first < 0 }
}

/// The turns of a link, by lane. Not an array in line: to look at an element of one copies the link that holds it, with
/// all it owns.
struct LaneTurns {
    private var control = TurnList()
    private var live = TurnList()
    private var bulk = TurnList()

    /// - Precondition: `row` is a lane's number.
    subscript(row: Int) -> TurnList {
        get { row == 0 ? control : row == 1 ? live : bulk }
        set { if row == 0 { control = newValue } else if row == 1 { live = newValue } else { bulk = newValue } }
    }
}

extension Forwarder {
    /// Puts a queue at the end of its link's turn.
    /// - Precondition: it stands in none.
    mutating func joinTurn(_ number: Int32, of link: Int32) {
        let lane = Int(number) % Destination.queuesEach
        let last = links[Int(link)].turns[lane].last
        queues[Int(number)].turnLink = link
        queues[Int(number)].turnPrevious = last
        queues[Int(number)].turnNext = -1
        if last >= 0 { queues[Int(last)].turnNext = number } else { links[Int(link)].turns[lane].first = number }
        links[Int(link)].turns[lane].last = number
        markDirty(Int(link))
    }

    /// Takes a queue out of the turn it stands in, if any.
    mutating func leaveTurn(_ number: Int32) {
        let link = queues[Int(number)].turnLink
        guard link >= 0 else { return }
        let lane = Int(number) % Destination.queuesEach
        let next = queues[Int(number)].turnNext
        let previous = queues[Int(number)].turnPrevious
        if previous >= 0 { queues[Int(previous)].turnNext = next } else { links[Int(link)].turns[lane].first = next }
        if next >= 0 { queues[Int(next)].turnPrevious = previous } else { links[Int(link)].turns[lane].last = previous }
        queues[Int(number)].turnLink = -1
        queues[Int(number)].turnNext = -1
        queues[Int(number)].turnPrevious = -1
    }

    /// There may be something to send or to say on this link.
    mutating func markDirty(_ link: LinkIndex) {
        guard !links[link].isDirty else { return }
        links[link].isDirty = true
        dirtyLinks.append(link)
    }

    /// The link that was marked last, no longer marked; nil where none is.
    mutating func takeDirtyLink() -> LinkIndex? {
        guard let link = dirtyLinks.popLast() else { return nil }
        links[link].isDirty = false
        return link
    }
}
