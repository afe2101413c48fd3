/// Records on their way through one envelope; ``Builder`` writes the bytes, ``Reader`` reads them.
public enum RecordBatch {
    public struct Builder: Sendable {
        public init() {}
    }
}
