import Admin
import Agent
import Commands
import Envelope

@testable import Connectors
@testable import Node
@testable import Platform

extension Target {
    static let cron = Target(
        "cron", "cron expressions, and when they are due next", longest: 256,
        seeds: {
            ["*/15 6-18 * * mon-fri", "@yearly", "0 0 29 2 *", "59 23 31 12 7", "1,2,5-9/2 * 1-3 jan,dec *"]
                .enumerated().map { ("expression-\($0.offset)", [0, 0, 0, 0, 0, 1, 0, 0] + Array($0.element.utf8)) }
        },
        run: { input in
            var choices = Choices(input)
            let time = WallTime(milliseconds: Int64(bitPattern: choices.word()))
            let schedule: Cron
            do throws(CronError) {
                schedule = try Cron(String(decoding: choices.rest(), as: UTF8.self))
            } catch {
                _ = error.description
                return
            }
            for zone in [TimeZone.utc, TimeZone { $0.milliseconds % 7_200_000 < 3_600_000 ? 3_600 : 7_200 }] {
                if let next = schedule.nextFire(after: time, in: zone) {
                    require(next > time, "what is due next lies ahead")
                }
            }
        })

    static let rows = Target(
        "rows", "lines and CSV rows of a file, whole and in pieces",
        seeds: {
            ["a,b\n1,2\r\n", "\"x\"\"y\",\"line\nbreak\"\nlast", "\u{FEFF}name;value\n;;\n", "\"open"].enumerated().map
            {
                ("rows-\($0.offset)", [3, 44] + Array($0.element.utf8))
            }
        },
        run: { input in
            guard input.count > 2 else { return }
            let (step, separator) = (max(1, Int(input[0])), input[1])
            let bytes = UnsafeRawBufferPointer(rebasing: input[2...])
            for kind in [RecordScanner.Kind.line, .row(separator: separator)] where separator != 10 {
                let whole = extents(of: bytes, kind, in: bytes.count)
                require(whole == extents(of: bytes, kind, in: step), "pieces hold the same rows as the whole")
                var start = 0
                for extent in whole {
                    let row = bytes[start..<start + extent.content]
                    require(!CSVRow.fields(of: row, separator: separator).isEmpty, "a row has a field")
                    start += extent.total
                }
            }
            _ = CSVRow.names(of: bytes, separator: separator)
        })

    /// The rows found where the file is seen to grow by so many bytes at a time.
    private static func extents(
        of bytes: UnsafeRawBufferPointer, _ kind: RecordScanner.Kind, in step: Int
    ) -> [RecordExtent] {
        var scanner = RecordScanner(kind)
        var (found, start, end): ([RecordExtent], Int, Int) = ([], 0, 0)
        while end < bytes.count {
            end = min(bytes.count, end + step)
            while let extent = scanner.next(in: UnsafeRawBufferPointer(rebasing: bytes[..<end]), from: start) {
                found.append(extent)
                start += extent.total
            }
        }
        return found
    }

    static let times = Target(
        "times", "times in files and databases, by format", longest: 256,
        seeds: {
            [
                ("iso8601", "2026-11-21T10:15:00.123+01:00"), ("unix", "1800000000.5"),
                ("%d.%m.%Y %H:%M:%S", "21.11.2026 10:15:00"),
                ("unixMilliseconds", "1800000000000"), ("%f%z%%", "1-0530%"),
            ]
            .enumerated().map { ("time-\($0.offset)", Array($0.element.0.utf8) + [0] + Array($0.element.1.utf8)) }
        },
        run: { input in
            let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? Array(parts[1]) : []
            let format = String(decoding: parts[0], as: UTF8.self)
            _ = TimeFormat(format)?.time(of: value)
            let text = String(decoding: value, as: UTF8.self)
            for format in [TimeFormat.iso8601, .unix, .unixMilliseconds] { _ = format.time(of: value) }
            for column in [SQLValue.text(text), .real(Double(text) ?? 0), .integer(Int64(text) ?? 0)] {
                _ = SQLPosition.of(column)
                _ = try? SQLPosition.start(of: column, overlap: SQLOverlap(format))
                _ = try? SQLPosition.start(of: column, overlap: .time(.seconds(30)))
            }
        })

    static let jsonRow = Target(
        "json-row", "JSON rows as SQL sinks read them", longest: 2048,
        seeds: {
            ["{}", #"{"a":1,"b":"x\u00e9\ud83d\ude00\n","c":null,"d":true,"e":-1.5e+10}"#, #"{"a":"AAEC"}"#]
                .enumerated()
                .map { ("row-\($0.offset)", Array($0.element.utf8)) }
        },
        run: { input in
            guard let members = try? JSONRowParser.parse(Array(input)) else { return }
            for (_, value) in members {
                if case .string(let text) = value, let bytes = Base64Text.decode(text) {
                    require(Base64Text.decode(Base64Text.encode(bytes)) == bytes, "base 64 is read as written")
                }
            }
        })

    static let arguments = Target(
        "arguments", "command lines of relayctl and the daemons, words ended by zero bytes", longest: 512,
        seeds: {
            [
                "topology\0-o\0json\0--watch", "key\0create\0--help", "send\0--to\0plant-b/agent\0hello",
                "--config\0x\0--check-config",
                "node\0status\0--socket=/run/x", "--version", "help\0topology", "topology\0--watch=1", "send\0-o",
            ].enumerated().map { ("words-\($0.offset)", Array($0.element.utf8)) }
        },
        run: { input in
            let words = input.split(separator: 0, omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
            tryWords(words)
            _ = DaemonArguments(words)
        })

    static let proxy = Target(
        "proxy", "what a proxy answers", longest: 16 << 10,
        seeds: {
            [
                "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n",
                "HTTP/1.1 200\r\n\r\nmore", "a b\r\n\r\n", String(repeating: "x", count: 8200),
            ]
            .enumerated().map {
                ("answer-\($0.offset)", [$0.element.utf8.count > 99 ? 255 : 9] + Array($0.element.utf8))
            }
        },
        run: { input in
            let text = String(decoding: input.prefix(80), as: UTF8.self)
            let credentials = ProxyAddress.Credentials(user: "user", password: text + "#secret")
            let address = ProxyAddress(host: text, port: 3128, credentials: credentials)
            require(!"\(address) \(credentials)".contains("#secret"), "no password is shown")
            let asked = ProxyConversation(host: text, port: 1, credentials: credentials)
            let lines = asked.map { $0.request.split(separator: 10, omittingEmptySubsequences: false).count } ?? 5
            require(lines == 5, "no host makes a line of its own")
            guard let first = input.first,
                var conversation = ProxyConversation(
                    host: first & 1 == 0 ? "relay" : "::1", port: 7400,
                    credentials: first & 2 == 0 ? nil : .init(user: "user", password: "p"))
            else { return }
            var rest = input.dropFirst()
            while !rest.isEmpty {
                let piece = rest.prefix(max(1, Int(first)))
                guard conversation.receive(piece) == .needsMore else { return }
                rest = rest.dropFirst(piece.count)
            }
            require(input.count <= ProxyConversation.answerBytes, "an answer is within its limit")
        })
}
