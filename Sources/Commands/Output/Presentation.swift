/// What a command has to show, in every layout it has.
struct Presentation: Sendable {
    enum Section: Sendable {
        case lines([Line])
        case table(TextTable)
    }

    /// For json and yaml.
    var value: any Encodable & Sendable
    /// For table and wide.
    var sections: [Section]
    /// For dot.
    var dot: String?
    /// Said beside the tables, to the person: such as that there is nothing.
    var remark: String?

    init(_ value: any Encodable & Sendable, sections: [Section], dot: String? = nil, remark: String? = nil) {
        self.value = value
        self.sections = sections
        self.dot = dot
        self.remark = remark
    }
}
