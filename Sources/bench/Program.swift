import Glibc

/// Microbenchmarks of the parts every envelope meets, and with `journal` the write path of a store.
/// `bench/run.py` measures whole meshes, `bench/instructions.py` counts instructions of the parts.
@main
enum Program {
    static func main() { run() }

    /// Outside the main actor: closures made there would be checked for it at every call.
    nonisolated static func run() {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.first == "journal" {
            if !JournalWrites.run(Array(words.dropFirst())) { exit(2) }
            return
        }
        if words.first == "crowd" {
            guard let crowd = Crowd(Array(words.dropFirst())) else {
                print("usage: \(Crowd.usage)")
                exit(2)
            }
            return crowd.run()
        }
        guard let selection = Selection(words) else {
            print("usage: \(Selection.usage)\n       \(JournalWrites.usage)\n       \(Crowd.usage)")
            exit(2)
        }
        if !selection.isList { print("| what | ns |\n|---|---|") }
        EnvelopeParts.run(selection)
        SealedParts.run(selection)
        JournalParts.run(selection)
        RouteParts.run(selection)
        RelayPath.run(selection)
    }
}
