import Envelope
import Platform
import Synchronization

/// Questions to a sink that are put by other threads than its own.
final class MarkQuestions: Sendable {
    private struct Question: Sendable {
        var stream: StreamID
        var reply: Reply<Sequence?>
    }

    private struct State {
        var questions: [Question] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    func add(_ stream: StreamID) -> Reply<Sequence?> {
        let reply = Reply<Sequence?>()
        let isClosed = state.withLock { state in
            if !state.isClosed { state.questions.append(Question(stream: stream, reply: reply)) }
            return state.isClosed
        }
        if isClosed { reply.fill(nil) }
        return reply
    }

    /// The sink's thread ends: nobody can say any more.
    func close() {
        state.withLock { $0.isClosed = true }
        answerAll { _ in nil }
    }

    /// Answers what waits.
    /// - Parameter answer: nil where the sink cannot say.
    func answerAll(_ answer: (StreamID) -> Sequence?) {
        let questions = state.withLock { state in
            defer { state.questions = [] }
            return state.questions
        }
        for question in questions { question.reply.fill(answer(question.stream)) }
    }
}

extension SinkWorker {
    /// Asks where a stream stands in the sink itself.
    /// - Returns: what will be filled with its durable mark, or with nil where the sink cannot say.
    func askMark(of stream: StreamID) -> Reply<Sequence?> {
        let reply = questions.add(stream)
        queue.wake()
        bell.ring()
        return reply
    }

    /// On the sink's thread, between two steps of its work.
    func answerQuestions(_ sink: (any Sink)?) {
        // What is opened for a question is let go of again: the machine opens its own.
        var asked = sink
        questions.answerAll { stream in
            do throws(ConnectorError) {
                if asked == nil { asked = try factory() }
                return try asked?.mark(of: stream)
            } catch { return nil }
        }
    }
}
