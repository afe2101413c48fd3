import Journal
import Platform

/// Counts the starts of this relay, so that its advertisements are newer than those of the start before. Durable
/// before it is used.
enum BootNumber {
    static func next(in directory: String) throws -> UInt64 {
        try Files.createDirectory(directory)
        let number = try read(directory) + 1
        try save(number, in: directory)
        return number
    }

    static func save(_ number: UInt64, in directory: String) throws {
        try Files.replace(directory + "/boot", with: Array("\(number)\n".utf8))
    }

    /// 0 where nothing is stored or what is stored is no number: the mesh then tells (it knows the latest).
    private static func read(_ directory: String) throws -> UInt64 {
        guard try Files.attributes(of: directory + "/boot") != nil else { return 0 }
        let bytes = try Files.read(directory + "/boot", limit: 64)
        let text = String(decoding: bytes, as: UTF8.self)
        let number = UInt64(text.split(separator: "\n").first ?? "") ?? 0
        // No relay starts that often: the file is damaged.
        return number < 1 << 62 ? number : 0
    }
}
