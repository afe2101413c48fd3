/// The fields of one CSV row (RFC 4180), decoded.
enum CSVRow {
    /// Reads the fields of a row without its line end. Quotes around a field are taken away and doubled quotes
    /// halved; anything else stays as it is. An empty row has one empty field.
    static func fields(of row: some Collection<UInt8>, separator: UInt8) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        var field: [UInt8] = []
        var isQuoted = false
        var atStart = true
        var index = row.startIndex
        let quote = UInt8(ascii: "\"")
        while index != row.endIndex {
            let byte = row[index]
            let following = row.index(after: index)
            switch byte {
            case quote where isQuoted && following != row.endIndex && row[following] == quote:
                field.append(quote)
                index = following
            case quote where isQuoted:
                isQuoted = false
            case quote where atStart:
                isQuoted = true
            case separator where !isQuoted:
                fields.append(field)
                field.removeAll(keepingCapacity: true)
                atStart = true
                index = row.index(after: index)
                continue
            default:
                field.append(byte)
            }
            atStart = false
            index = row.index(after: index)
        }
        fields.append(field)
        return fields
    }

    /// The names in a header row; a byte order mark in front is not part of the first name.
    static func names(of header: some Collection<UInt8>, separator: UInt8) -> [String] {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let row = header.starts(with: mark) ? Array(header.dropFirst(3)) : Array(header)
        return fields(of: row, separator: separator).map { String(decoding: $0, as: UTF8.self) }
    }
}
