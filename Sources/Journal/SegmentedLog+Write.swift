import Envelope

/// A commit record ready to be written: 72 bytes in nine words.
struct CommitBytes {
    var words: InlineArray<9, UInt64>

    func write<Files: FileSystem>(
        _ files: Files, _ handle: FileHandle, at place: UInt64
    ) throws(FileError) {
        var copy = words
        let result = withUnsafeBytes(of: &copy) { bytes -> Result<Void, FileError> in
            do throws(FileError) {
                return .success(try files.writeEnd(handle, bytes, at: place))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}

extension SegmentedLog {
    /// Binds the staged headers to the places from ``place`` on.
    /// - Returns: the checksum over their checksums.
    func sealRecords(_ range: Range<Int>, by seal: SegmentSeal) -> UInt32 {
        var place = place
        var digest: UInt32 = 0
        for index in range {
            let record = staging.records[index]
            digest = Self.extend(digest, RecordHeader.seal(staging.header(record), at: place, by: seal))
            place += record.footprint
        }
        return digest
    }

    static func extend(_ digest: UInt32, _ checksum: UInt32) -> UInt32 {
        withUnsafeBytes(of: checksum.littleEndian) { CRC32C.extend(digest, $0) }
    }

    func commitRecord(_ mark: CommitMark, at place: Int, by seal: SegmentSeal) -> CommitBytes {
        var commit = CommitBytes(words: .init(repeating: 0))
        withUnsafeMutableBytes(of: &commit.words) { bytes in
            let payload = UnsafeMutableRawBufferPointer(rebasing: bytes[Layout.recordHeader...])
            mark.write(to: payload)
            RecordHeader(
                length: Layout.commitPayload, lsn: nextLSN, kind: .commit, flags: 0,
                payloadChecksum: CRC32C.checksum(of: UnsafeRawBufferPointer(payload))
            ).write(to: bytes)
            _ = RecordHeader.seal(bytes, at: place, by: seal)
        }
        return commit
    }
}
