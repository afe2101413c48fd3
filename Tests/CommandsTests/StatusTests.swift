import Node
import Testing

@testable import Commands

@Suite struct StatusTests {
    @Test func queues() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl queue list
            DESTINATION    LANE     STATE       ENVELOPES  IN FLIGHT    BYTES      OLDEST  DRAINED IN  NEXT HOP
            plant-a/agent  control  forwarding          1          0     96 B           -   2 min 5 s  plant-a/relay
            plant-b/agent  live     parked          1,234          0  1.2 MiB  1 min 35 s           -  -
            $ relayctl queue list -o yaml
            asOf: "2026-11-21T09:52:39.123Z"
            node: dmz/relay
            queues:
              - bytes: 1234567
                destination: plant-b/agent
                envelopes: 1234
                inFlight: 0
                lane: live
                oldestAgeSeconds: 95
                state: parked
              - bytes: 96
                destination: plant-a/agent
                envelopes: 1
                inFlight: 0
                lane: control
                nextHop: plant-a/relay
                secondsToDrain: 125
                state: forwarding
            schema: 1
            """)
    }

    @Test func status() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl node status
            plant-a/agent  agent 0.1.0, pid 42, up 2 h 1 min, 2 reactors · as of now
            envelopes accepted 1,000,010 = delivered 1,000,000 + queued 5 + in flight 3 + dropped 2 (2 expired); quarantined 1
            store     5.0 MiB of 1.0 GiB in 5 envelopes; memory 31.0 MiB resident, 4.0 KiB held of 64.0 MiB
            reload    failed 1 min ago, the old configuration stays in force: agent.yaml:3:1: joobs: unknown key

            FROM                TO             STATE  COST  RTT  ENVELOPES  BYTES  OLDEST  AS OF
            plant-a/agent  ──▶  plant-a/relay  up        -    -          0    0 B       -    now

            JOB      STATE     RECORDS  ENVELOPES  UNRECEIPTED  LAST RUN  LAST ERROR
            tags     running   123,456         99            3   3 s ago
            batches  retrying        0          0            0     never  the server plant-db is away

            SINK  STATE  RECORDS  LAST ERROR
            rows  idle         3
            """)
    }

    @Test func flows() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl flow list
            OF      NAME           STATE  ACCEPTED  DELIVERED  EXPIRED  REFUSED  HELD    BYTES  QUOTA                              RATE
            flow    quality        full      1,234      1,000        4       77   230  4.8 MiB  9.5 MiB, 230 envelopes, 1 h 0 min  976.6 KiB/s
            lane    live           open      1,234      1,000        4        0   230  4.8 MiB  -                                  -
            source  plant-a/agent  open      1,234      1,000        4        0   230      0 B  -                                  -
                    answers        open          9          9        0        0     0      0 B  -                                  -
            """)
    }

    @Test func nothingWaits() throws {
        let stage = try Stage { _ in .json(status: 200, QueueReport(node: "a/b", asOf: Samples.now, queues: [])) }
        stage.play(
            """
            $ relayctl queue list
            ! nothing waits in a/b
            """)
    }
}
