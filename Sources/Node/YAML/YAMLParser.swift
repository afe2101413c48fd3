import CYaml
import Envelope

extension YAMLNode {
    /// Reads the one document of a file.
    ///
    /// Anchors, aliases, tags, several documents and keys given twice are refused: each lets a file mean something
    /// else than what one reads in it.
    /// - Parameter file: the path as the person gave it, for messages and for relative paths.
    /// - Throws: ``ConfigurationError`` with the place. A variable that is not set is no error yet; see
    ///   ``YAMLScalar/problem``.
    public static func parse(
        _ bytes: [UInt8], file: String, environment: YAMLEnvironment = .process
    ) throws(ConfigurationError) -> YAMLNode {
        guard bytes.count <= Limits.configurationBytes else {
            throw ConfigurationError(
                at: YAMLMark(file: file, line: 0, column: 0),
                "the file has \(bytes.count) bytes; the most is \(Limits.configurationBytes)")
        }
        var builder = YAMLTreeBuilder(file: file, environment: environment)
        let events = try YAMLEvents(bytes, file: file)
        while try builder.take(events.next()) {}
        return try builder.finish()
    }
}

extension ConfigurationError {
    init(at mark: YAMLMark, _ text: String) {
        self.init([ConfigurationProblem(mark: mark, text: text)])
    }
}

/// What the parser saw, in Swift's own types.
enum YAMLEvent {
    case documentStart(YAMLMark)
    case scalar(text: String, style: YAMLScalar.Style, YAMLMark)
    case sequenceStart(YAMLMark)
    case mappingStart(YAMLMark)
    case containerEnd
    /// Something of YAML that is refused, in words.
    case refused(String, YAMLMark)
    /// The start of the stream, the end of the document.
    case nothing
    case streamEnd
}

/// libyaml's parser over bytes in memory.
struct YAMLEvents: ~Copyable {
    /// libyaml keeps pointers into its own struct, so it must not move: it lives on the heap.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let file: String

    init(_ bytes: [UInt8], file: String) throws(ConfigurationError) {
        self.file = file
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(from: bytes)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else {
            throw ConfigurationError(at: YAMLMark(file: file, line: 0, column: 0), "no memory to read the file")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() throws(ConfigurationError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        return translate(event)
    }

    private func translate(_ event: yaml_event_t) -> YAMLEvent {
        let mark = mark(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT: return .documentStart(mark)
        case YAML_ALIAS_EVENT:
            return .refused("an alias ('*name') is not supported; write the value itself", mark)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            if let refusal = refusal(anchor: scalar.anchor, tag: scalar.tag, mark) { return refusal }
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            if bytes.contains(0) { return .refused("a value holds a NUL character; leave it out", mark) }
            return .scalar(text: String(decoding: bytes, as: UTF8.self), style: style(scalar.style), mark)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return refusal(anchor: start.anchor, tag: start.tag, mark) ?? .sequenceStart(mark)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return refusal(anchor: start.anchor, tag: start.tag, mark) ?? .mappingStart(mark)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .containerEnd
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return .streamEnd
        default: return .nothing
        }
    }

    private func refusal(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, _ mark: YAMLMark
    ) -> YAMLEvent? {
        if anchor != nil {
            return .refused("an anchor ('&name') is not supported; write the value where it is used", mark)
        }
        if tag != nil { return .refused("a tag ('!name') is not supported; write the value without it", mark) }
        return nil
    }

    private func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }

    private func mark(_ mark: yaml_mark_t) -> YAMLMark {
        YAMLMark(file: file, line: mark.line + 1, column: mark.column + 1)
    }

    private func failure() -> ConfigurationError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it is not YAML"
        if parser.pointee.error == YAML_READER_ERROR {
            return ConfigurationError(
                at: place(ofByte: parser.pointee.problem_offset), "not a text in UTF-8: \(problem)")
        }
        if parser.pointee.error == YAML_MEMORY_ERROR {
            return ConfigurationError(at: YAMLMark(file: file, line: 0, column: 0), "no memory to read the file")
        }
        let context = parser.pointee.context.map { " \(String(cString: $0))" } ?? ""
        return ConfigurationError(
            at: mark(parser.pointee.problem_mark),
            "not valid YAML: \(problem)\(context); look at the indentation, colons and quotes here and just above")
    }

    /// libyaml gives no line for a byte that is no text.
    private func place(ofByte offset: Int) -> YAMLMark {
        let before = input.prefix(offset)
        let lines = before.count { $0 == UInt8(ascii: "\n") }
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let characters = String(decoding: before[start...], as: UTF8.self).unicodeScalars.count
        return YAMLMark(file: file, line: lines + 1, column: characters + 1)
    }
}
