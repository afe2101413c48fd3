// Joins the targets to libFuzzer. scripts/fuzz.sh compiles this file, since the package manager cannot link it.

import FuzzTargets
import Glibc

private let target: Target = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = Catalogue.all.first(where: { $0.name == name }) else {
        print("fuzz: there is no target '\(name)'")
        exit(2)
    }
    return target
}()

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target.run(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

/// Called by libFuzzer once. Answers what the script asks of the targets themselves.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafePointer<CInt>?, _ arguments: UnsafeRawPointer?) -> CInt {
    if getenv("FUZZ_LIST") != nil {
        for target in Catalogue.all { print("\(target.name)\t\(target.longest)\t\(target.summary)") }
        exit(0)
    }
    if let directory = getenv("FUZZ_SEED").map({ String(cString: $0) }) {
        exit(Catalogue.all.allSatisfy { writeSeeds($0, to: directory) } ? 0 : 1)
    }
    return 0
}

/// Writes a target's seeds where the corpus lacks them.
private func writeSeeds(_ target: Target, to directory: String) -> Bool {
    let folder = "\(directory)/\(target.name)"
    mkdir(folder, 0o755)
    for seed in target.seeds() where access("\(folder)/seed-\(seed.name)", F_OK) != 0 {
        guard let file = fopen("\(folder)/seed-\(seed.name)", "w") else {
            perror("fuzz: \(folder)/seed-\(seed.name)")
            return false
        }
        fwrite(seed.bytes, 1, seed.bytes.count, file)
        fclose(file)
    }
    return true
}
