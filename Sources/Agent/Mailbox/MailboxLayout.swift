/// Where a mailbox keeps what.
struct MailboxLayout: Sendable {
    var directory: String
    var arriving: String { directory + "/arriving" }
    var messages: String { directory + "/messages" }
    var marks: String { directory + "/marks" }
}
