import Envelope

extension Limits {
    // MARK: Link state: sizes

    /// Relays one mesh may hold. Paths are computed from every neighbour in O(relays²), so this bounds a change to
    /// a fraction of a second in the densest mesh; meshes we plan for have tens.
    public static let meshRelays = 256
    /// Links and attached nodes one relay may list together.
    public static let advertisedLinks = 4096
    /// Bytes of one advertisement, so that it fits one message with its certificate and signature.
    public static let advertisementBytes = helloBytes - (8 << 10)
    /// Bytes of the certificate that travels with an advertisement (DER).
    public static let advertisementCertificateBytes = 4 << 10
    /// Bytes of the signature that travels with an advertisement: Ed25519's, exactly.
    public static let advertisementSignatureBytes = 64
    /// Bytes of one link-state message; a message is one frame of a session and never delays others for long.
    public static let linkStateMessageBytes = helloBytes
    /// Bytes of the software version a relay tells: enough for a version, a build and a distribution.
    public static let softwareVersionBytes = 64
    /// Ports a relay may list as listening: two slots for each of some listeners.
    public static let advertisedPorts = 64
    /// Anycast services a relay may list.
    public static let advertisedServices = 255
    /// Next hops kept for a destination besides the best: tried in turn when the best refuses or is gone.
    public static let alternates = 3

    // MARK: Link state: times

    /// Least time between two advertisements of a relay, so that a burst of changes becomes one.
    public static let advertisementInterval = Duration.milliseconds(50)
    /// What that time doubles to while a relay's links flap, so that one bad cable does not busy the mesh.
    public static let advertisementIntervalMost = Duration.seconds(1)
    /// A relay advertises at least this often, so that the statistics people look at are fresh.
    public static let advertisementRefresh = Duration.seconds(5)
    /// Least time between two computations of paths for changes elsewhere in the mesh.
    public static let pathInterval = Duration.milliseconds(50)
    /// What that time doubles to while changes keep coming: with 30,000 nodes attached to a mesh one computation takes
    /// some 50 ms, which must not be all that a relay does.
    public static let pathIntervalMost = Duration.seconds(1)
    /// How often a relay tells each neighbour what it holds; bounds how long a missed advertisement stays missed.
    public static let digestInterval = Duration.seconds(10)
    /// A relay silent for so long is not routed through: 24 refreshes missed, so not a busy machine but a dead one.
    public static let advertisementUse = Duration.seconds(120)
    /// A relay or a link that went down is shown in reports for so long and then forgotten.
    public static let advertisementKeep = Duration.seconds(2 * 3600)
}
