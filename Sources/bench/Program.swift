import Glibc

/// Microbenchmarks of the parts every envelope meets, and with `journal` the write path of a store.
/// `bench/run.py` measures whole meshes.
@main
enum Program {
    static func main() { run() }

    /// Outside the main actor: closures made there would be checked for it at every call.
    nonisolated static func run() {
        let words = CommandLine.arguments.dropFirst()
        if words.first == "journal" {
            if !JournalWrites.run(Array(words.dropFirst())) { exit(2) }
            return
        }
        print("| what | ns |\n|---|---|")
        EnvelopeParts.run()
        SealedParts.run()
        RelayPath.run()
    }
}
