import Envelope
import Node
import Testing

@testable import Commands

@Suite struct TopologyTests {
    @Test func pictureAndTable() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topology
            3 zones, 5 nodes (3 up, 1 down, 1 unknown), 3 links (2 up, 1 down) · seen by dmz/relay, as of 2 s ago

            plant-a ──▶ dmz ◀✕─ plant-b

            dmz
            └─ relay  relay  up
                 ◀── plant-a/relay  up  0.82 ms
                 ◀✕─ plant-b/relay  down  connection refused, 1,234 waiting (1.2 MiB)
            plant-a
            ├─ agent  agent  up
            │    ──▶ relay          up  0.10 ms
            └─ relay  relay  up
                 ──▶ dmz/relay      up  0.82 ms
                 ◀── agent          up  0.10 ms
            plant-b
            ├─ agent  agent  unknown
            └─ relay  relay  down
                 ─✕▶ dmz/relay      down  connection refused

            FROM                TO             STATE  COST      RTT  ENVELOPES    BYTES      OLDEST           AS OF
            plant-a/agent  ──▶  plant-a/relay  up        1  0.10 ms          0      0 B           -         1 s ago
            plant-a/relay  ──▶  dmz/relay      up       10  0.82 ms          0      0 B           -         2 s ago
            plant-b/relay  ─✕▶  dmz/relay      down     10        -      1,234  1.2 MiB  1 min 35 s  1 min 35 s ago
            """)
    }

    @Test func wideWithoutHeaders() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topology -o wide --no-headers
            3 zones, 5 nodes (3 up, 1 down, 1 unknown), 3 links (2 up, 1 down) · seen by dmz/relay, as of 2 s ago

            plant-a ──▶ dmz ◀✕─ plant-b

            dmz
            └─ relay  relay  up
                 ◀── plant-a/relay  up  0.82 ms
                 ◀✕─ plant-b/relay  down  connection refused, 1,234 waiting (1.2 MiB)
            plant-a
            ├─ agent  agent  up
            │    ──▶ relay          up  0.10 ms
            └─ relay  relay  up
                 ──▶ dmz/relay      up  0.82 ms
                 ◀── agent          up  0.10 ms
            plant-b
            ├─ agent  agent  unknown
            └─ relay  relay  down
                 ─✕▶ dmz/relay      down  connection refused

            plant-a/agent  ──▶  plant-a/relay  up     1  0.10 ms      0      0 B           -         1 s ago   1      0/0      0 B/0 B
            plant-a/relay  ──▶  dmz/relay      up    10  0.82 ms      0      0 B           -         2 s ago  12      0/0      0 B/0 B
            plant-b/relay  ─✕▶  dmz/relay      down  10        -  1,234  1.2 MiB  1 min 35 s  1 min 35 s ago   -  0/1,234  0 B/1.2 MiB  connection refused
            """)
    }

    @Test func dot() throws {
        try Stage(Samples.mesh).play(
            """
            $ relayctl topology -o dot
            digraph mesh {
              rankdir=LR;
              node [shape=box, fontname="sans-serif"];
              subgraph cluster_0 {
                label="dmz";
                "dmz/relay" [label="relay\\nrelay, up", style=solid];
              }
              subgraph cluster_1 {
                label="plant-a";
                "plant-a/agent" [label="agent\\nagent, up", style=solid];
                "plant-a/relay" [label="relay\\nrelay, up", style=solid];
              }
              subgraph cluster_2 {
                label="plant-b";
                "plant-b/agent" [label="agent\\nagent, unknown", style=dashed];
                "plant-b/relay" [label="relay\\nrelay, down", style=dashed];
              }
              "plant-a/agent" -> "plant-a/relay" [label="up 0.10 ms", color=black, style=solid];
              "plant-a/relay" -> "dmz/relay" [label="up 0.82 ms", color=black, style=solid];
              "plant-b/relay" -> "dmz/relay" [label="down", color=red, style=dotted];
            }
            """)
    }

    @Test func json() throws {
        let stage = try Stage { _ in .json(status: 200, Samples.half) }
        stage.play(
            """
            $ relayctl topology -o json
            {
              "asOf" : "2026-11-21T09:52:39.123Z",
              "by" : "a/r",
              "links" : [
                {
                  "asOf" : "2026-11-21T09:52:39.123Z",
                  "bytesQueuedBack" : 0,
                  "bytesQueuedForward" : 0,
                  "envelopesQueuedBack" : 0,
                  "envelopesQueuedForward" : 0,
                  "from" : "b/r",
                  "oldestAgeSeconds" : 0.5,
                  "reason" : "no: \\"answer\\"\\nto ping",
                  "roundTripMicroseconds" : 1500,
                  "state" : "half",
                  "to" : "a/r"
                }
              ],
              "schema" : 1,
              "zones" : [
                {
                  "name" : "a",
                  "nodes" : [
                    {
                      "name" : "a/r",
                      "role" : "relay",
                      "state" : "up"
                    }
                  ]
                }
              ]
            }
            """)
    }

    @Test func yaml() throws {
        let stage = try Stage { _ in .json(status: 200, Samples.half) }
        stage.play(
            """
            $ relayctl topology -o yaml
            asOf: "2026-11-21T09:52:39.123Z"
            by: a/r
            links:
              - asOf: "2026-11-21T09:52:39.123Z"
                bytesQueuedBack: 0
                bytesQueuedForward: 0
                envelopesQueuedBack: 0
                envelopesQueuedForward: 0
                from: b/r
                oldestAgeSeconds: 0.5
                reason: "no: \\"answer\\"\\nto ping"
                roundTripMicroseconds: 1500
                state: half
                to: a/r
            schema: 1
            zones:
              - name: a
                nodes:
                  - name: a/r
                    role: relay
                    state: up
            """)
    }

    @Test func ringsAndRedundantPaths() throws {
        let stage = try Stage { _ in .json(status: 200, Samples.ring) }
        stage.play(
            """
            $ relayctl topology
            7 zones, 8 nodes (7 up, 1 down), 8 links (6 up, 1 down, 1 half) · seen by dmz/relay, as of now

            plant-a ──▶ dmz ◀┄▶ cloud-a ──▶ cloud-b ──▶ cloud-c ──▶ cloud-a
            dmz ◀┄┄ plant-b
            spare

            cloud-a
            └─ relay  relay  up
                 ──▶ cloud-b/relay  up
                 ─✕▶ dmz/r2         down
                 ◀── cloud-c/relay  up
                 ◀── dmz/r1         up
            cloud-b
            └─ relay  relay  up
                 ──▶ cloud-c/relay  up
                 ◀── cloud-a/relay  up
            cloud-c
            └─ relay  relay  up
                 ──▶ cloud-a/relay  up
                 ◀── cloud-b/relay  up
            dmz
            ├─ r1     relay  up
            │    ──▶ cloud-a/relay  up
            │    ──▶ r2             up
            │    ◀── plant-a/relay  up
            └─ r2     relay  up
                 ◀✕─ cloud-a/relay  down
                 ◀── r1             up
                 ◀┄┄ plant-b/relay  half
            plant-a
            └─ relay  relay  up
                 ──▶ dmz/r1         up
            plant-b
            └─ relay  relay  up
                 ┄┄▶ dmz/r2         half
            spare
            └─ relay  relay  down

            FROM                TO             STATE  COST  RTT  ENVELOPES  BYTES  OLDEST  AS OF
            cloud-a/relay  ──▶  cloud-b/relay  up        -    -          0    0 B       -    now
            cloud-a/relay  ─✕▶  dmz/r2         down      -    -          0    0 B       -    now
            cloud-b/relay  ──▶  cloud-c/relay  up        -    -          0    0 B       -    now
            cloud-c/relay  ──▶  cloud-a/relay  up        -    -          0    0 B       -    now
            dmz/r1         ──▶  cloud-a/relay  up        -    -          0    0 B       -    now
            dmz/r1         ──▶  dmz/r2         up        -    -          0    0 B       -    now
            plant-a/relay  ──▶  dmz/r1         up        -    -          0    0 B       -    now
            plant-b/relay  ┄┄▶  dmz/r2         half      -    -          0    0 B       -    now
            """)
    }

    @Test func anEmptyMesh() throws {
        let stage = try Stage { _ in
            .json(status: 200, TopologyReport(asOf: Samples.now, by: "a/b", zones: [], links: []))
        }
        stage.play(
            """
            $ relayctl topology
            0 zones, 0 nodes, 0 links · seen by a/b, as of now


            """)
    }
}
