import Commands

@main
enum Program {
    static func main() { Relayctl.main() }
}
