/// Microbenchmarks of the parts every envelope meets. `bench/run.py` measures whole meshes.
@main
enum Program {
    static func main() { run() }

    /// Outside the main actor: closures made there would be checked for it at every call.
    nonisolated static func run() {
        print("| what | ns |\n|---|---|")
        EnvelopeParts.run()
        SealedParts.run()
        RelayPath.run()
    }
}
