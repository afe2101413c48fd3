import Glibc
import Synchronization
import Testing

@testable import FuzzTargets

/// Every input of the corpora, fed to its target as the fuzzer would. A promise that does not hold stops the process.
@Suite struct ReplayTests {
    /// Fuzz/Corpus, found from where this file lies.
    static let corpus = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Fuzz/Corpus"

    @Test(arguments: Catalogue.all.map(\.name))
    func corpusHolds(name: String) throws {
        let target = try #require(Catalogue.all.first { $0.name == name })
        let folder = "\(Self.corpus)/\(name)"
        let inputs = names(in: folder)
        #expect(!inputs.isEmpty, "a target has a corpus: scripts/fuzz.sh --seed writes its seeds")
        for input in inputs {
            let bytes = try #require(contents(of: "\(folder)/\(input)"), "\(input) can be read")
            bytes.withUnsafeBytes { target.run($0) }
        }
    }

    @Test func everyCorpusHasItsTarget() {
        #expect(names(in: Self.corpus) == Catalogue.all.map(\.name).sorted())
    }

    /// What `scripts/fuzz.sh --coverage --check` measures is there.
    @Test func everyParserHasItsTargets() throws {
        let root = Self.corpus.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }
        let text = String(decoding: try #require(contents(of: root + "/Fuzz/parsers")), as: UTF8.self)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        #expect(lines.count > 10)
        for line in lines {
            for owner in line[0].split(separator: "+") {
                #expect(Catalogue.all.contains { $0.name == owner }, "\(owner) is a target")
            }
            for source in line.dropFirst().map({ $0.split(separator: "=")[0] }) {
                #expect(access("\(root)/Sources/\(source)", R_OK) == 0, "\(source) is a source")
            }
        }
    }

    @Test(arguments: Catalogue.all.map(\.name))
    func seedsAreTakenWholeAndCutAnywhere(name: String) throws {
        let target = try #require(Catalogue.all.first { $0.name == name })
        for seed in target.seeds() {
            for count in stride(from: 0, through: seed.bytes.count, by: max(1, seed.bytes.count / 40)) {
                seed.bytes.withUnsafeBytes { target.run(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
            seed.bytes.withUnsafeBytes { target.run($0) }
        }
    }

    /// The tests here run beside each other and feed the same targets.
    @Test func aTargetTakesOneInputAtATime() async {
        final class Count: Sendable {
            let inside = Atomic(0)
            let most = Atomic(0)
        }
        let count = Count()
        let target = Target(
            "toy", "counts who is inside", seeds: { [] },
            run: { _ in
                count.most.max(count.inside.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
                for _ in 0..<10 { sched_yield() }
                count.inside.subtract(1, ordering: .relaxed)
            })
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<200 { target.run(UnsafeRawBufferPointer(start: nil, count: 0)) } }
            }
        }
        #expect(count.most.load(ordering: .relaxed) == 1)
    }

    // MARK: Files

    private func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private func contents(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return bytes
    }
}
