"""What is compared: each case is one piece of work that ours and its rivals do in the same run, by turns."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    # Bytes of a record.
    size: int
    # Records of the warm-up run, which also finds the rate that the measured runs' lengths come from.
    pilot: int
    rivals: tuple = ()
    # The same for a rival that is slower by far.
    rival_pilot: int = None
    # Ours: None is what a job does where nobody has set anything (5 ms, 256 KiB).
    linger: str = None
    batch_bytes: int = None
    durability: str = "cutThrough"
    # Records a second at most; then latency is the figure.
    rate: int = None
    # A rival's messages without acknowledgement, where the usual bound is not wanted.
    window: int = None

    @property
    def is_latency(self):
        return self.rate is not None

    def pilot_of(self, is_ours):
        return self.pilot if is_ours or self.rival_pilot is None else self.rival_pilot

    @property
    def rival_window(self):
        return self.window or max(4, min(4096, (32 << 20) // self.size))

    @property
    def job(self):
        lines = [] if self.linger is None else [f"linger: {self.linger}"]
        return lines + ([] if self.batch_bytes is None else [f"batchBytes: {self.batch_bytes}"])


KIB, MIB = 1 << 10, 1 << 20
CASES = [
    Case("batched-128", "128 B", 128, 200_000, ("nats",)),
    Case("batched-100", "100 B", 100, 200_000),
    Case("batched-1k", "1 KiB", KIB, 60_000, ("nats",)),
    Case("single-128", "128 B, one an envelope", 128, 20_000, ("nats",), linger="0ms", batch_bytes=128),
    Case("64k", "64 KiB", 64 * KIB, 1_500, ("nats", "reference")),
    Case("1m", "1 MiB", MIB, 100, ("nats", "reference"), linger="0ms", batch_bytes=MIB + KIB),
    Case("10m", "10 MiB", 10 * MIB, 12, ("nats", "reference"), linger="0ms", batch_bytes=10 * MIB + KIB),
    Case("store-first-128", "128 B, store first", 128, 200_000, ("nats-sync",), rival_pilot=2_000,
         durability="storeFirst"),
    Case("store-first-1k", "1 KiB, one an envelope, store first", KIB, 4_000, ("nats-sync",), rival_pilot=1_000,
         linger="0ms", batch_bytes=KIB, durability="storeFirst", window=256),
    Case("latency", "cut-through", KIB, 2_000, ("nats",), linger="0ms", batch_bytes=KIB, rate=1000),
    Case("latency-store-first", "store first", KIB, 2_000, ("nats-sync",), linger="0ms", batch_bytes=KIB,
         durability="storeFirst", rate=1000),
]
BY_NAME = {case.name: case for case in CASES}
