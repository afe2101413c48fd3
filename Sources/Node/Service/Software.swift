/// What this build calls itself.
public enum Software {
    public static let version = "0.1.0"
    public static let name = "GridRelay"
}
