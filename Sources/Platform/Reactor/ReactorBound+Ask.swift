extension ReactorBound {
    /// Runs `work` with the value on its thread and waits for the answer; see ``Mailbox/ask(within:_:)``.
    /// - Throws: ``MailboxError``.
    public func ask<Answer: Sendable>(
        within limit: Duration = .seconds(10), _ work: @escaping @Sendable (Value) -> Answer
    ) throws(MailboxError) -> Answer {
        try mailbox.ask(within: limit) { work(self.value) }
    }
}
