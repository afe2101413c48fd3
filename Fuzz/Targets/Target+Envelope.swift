import Envelope

extension Target {
    static let header = Target(
        "header", "an envelope's header and hop fields", longest: 128,
        seeds: { Header.Kind.allCases.map { ("\($0)", Sample.header(kind: $0).encoded + HopFields().encoded) } },
        run: { input in
            tryHeader(input)
            // The checksum would hide what is behind it.
            guard input.count >= Header.size else { return }
            var repaired = Array(input)
            repaired.replace(CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: input[..<100])), at: 100)
            repaired.withUnsafeBytes { tryHeader($0) }
            let hop = UnsafeRawBufferPointer(rebasing: input[Header.size...])
            guard let fields = try? HopFields(hop) else { return }
            require(
                fields.encoded.elementsEqual(hop.prefix(HopFields.size)), "hop fields are written as they were read")
            require(fields.aged(by: .seconds(1)).age >= fields.age, "age does not go back")
            require((try? HopFields(Array(hop).span.bytes)) == fields, "a span of the bytes says the same")
            require(fields.nextHop.map { $0.hopLimit < fields.hopLimit } ?? (fields.hopLimit == 0), "hops count down")
            require(!fields.isExpired(lifetime: .max) || fields.age == .max, "nothing expires before its time")
        })

    private static func tryHeader(_ input: UnsafeRawBufferPointer) {
        guard let header = try? Header(input) else { return }
        require((try? Header(Array(input))) == header, "an array of the bytes says the same")
        var written: [UInt8] = [1]
        header.append(to: &written)
        require(written.dropFirst().elementsEqual(header.encoded), "a header is appended as it is written")
        require(header.encoded.elementsEqual(input.prefix(Header.size)), "a header is written as it was read")
        require(header.envelopeLength <= Header.size + Limits.bodyBytes, "a body is within its limit")
        require(header.floor <= header.sequence && header.lifetime > 0, "what a header promises")
    }

    static let batch = Target(
        "batch", "a record batch, read and written again",
        seeds: { [("empty", Sample.batch(0)), ("one", Sample.batch(1)), ("many", Sample.batch(9))] },
        run: { input in
            guard var reader = try? RecordBatch.Reader(Array(input)), let records = try? reader.remaining(),
                var builder = try? RecordBatch.Builder(topic: reader.topic, limit: Limits.batchBytes)
            else { return }
            require(records.count == reader.count, "a batch has as many records as it says")
            for record in records {
                require(record.headers.count == record.headerCount, "a record has as many headers as it says")
                _ = (record.keyText, record.valueText)
                let isSame = record.withBytes { key, value in
                    record.key == key.map { Array($0) } && record.value == value.map { Array($0) }
                }
                require(isSame, "bytes and their copies are the same")
                let added: Void? = try? builder.append(
                    key: record.key, value: record.value, headers: record.headers, at: record.time,
                    quality: record.quality, historical: record.historical)
                if added == nil { return }
            }
            guard var again = try? RecordBatch.Reader(builder.finish()), let same = try? again.remaining() else {
                return require(false, "a batch that was written can be read")
            }
            require(again.topic == reader.topic && same.count == records.count, "a batch is written as it was read")
            for (one, other) in zip(records, same) {
                require(
                    one.key == other.key && one.value == other.value && one.headers == other.headers
                        && one.time == other.time && one.quality == other.quality
                        && one.historical == other.historical, "a record is written as it was read")
            }
        })

    static let compression = Target(
        "compression", "compressed parts, honest and bombs",
        seeds: {
            let bytes = Sample.batch(9)
            let zeros = [UInt8](repeating: 0, count: 20_000)
            // Says less than is in it.
            var liar = Compression.pack(zeros, with: .zstd)
            liar.replace(3, at: 1)
            return [("liar", liar)]
                + Compression.allCases.flatMap { codec in
                    [
                        ("batch-\(codec)", Compression.pack(bytes, with: codec)),
                        ("zeros-\(codec)", Compression.pack(codec == .none ? [] : zeros, with: codec)),
                    ]
                }
        },
        run: { input in
            var decompressor = Decompressor()
            let first = try? decompressor.unpack(input)
            require(first == (try? decompressor.unpack(input)), "a context is as good the second time")
            require(first == (try? Compression.unpack(Array(input))), "a context of its own says the same")
            guard let bytes = first else { return }
            require(bytes.count <= Limits.batchBytes, "what was unpacked is within its limit")
            guard bytes.count <= 4096 else { return }
            for codec in Compression.allCases {
                let same = try? Compression.unpack(Compression.pack(bytes, with: codec))
                require(same == bytes, "what was packed is unpacked")
            }
        })

    static let receipt = Target(
        "receipt", "the body of a receipt", longest: 16 << 10,
        seeds: {
            [0, 1, 3].map { count in
                let entries = (0..<count).map {
                    Receipt.Entry(stream: StreamID(Bytes16(low: UInt64($0), high: 7)), mark: Sequence(UInt64($0) + 5))
                }
                return (
                    "entries-\(count)",
                    Receipt(entries: entries, certificate: [1, 2, 3], signature: .init(repeating: 9, count: 64)).encoded
                )
            }
        },
        run: { input in
            guard let receipt = try? Receipt(input) else { return }
            require(receipt.encoded.elementsEqual(input), "a receipt is written as it was read")
        })
}
