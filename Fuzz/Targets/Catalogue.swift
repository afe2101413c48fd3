/// Every target there is: what crosses the wire first, then what lies on disks, then what people write.
public enum Catalogue {
    public static let all: [Target] = [
        .header, .batch, .compression, .receipt, .opener, .keyRecord, .keyGrant, .certificate, .hello, .frames,
        .advertisement, .linkState, .router, .proxy, .journalDamage, .journalSegment, .outboxRecord, .checkpoints,
        .names, .yaml,
        .configuration, .topology, .cron, .rows,
        .times, .jsonRow, .arguments, .adminHTTP, .adminRequests, .reports, .deliveryOrder, .outbox, .journalModel,
        .exchange, .carriage, .quarantine,
    ]
}
