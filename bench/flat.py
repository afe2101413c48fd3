"""What relays have resident while gigabytes pass: it must not grow with what was forwarded."""
import time

from cases import Case
from common import resident
from mesh import RELAYS, Mesh, job_of

GIGABYTES = 4
FLOW = Case("flat", "1 KiB", 1024, 0)
POINTS = (0.1, 0.25, 0.5, 0.75, 1.0)


def measure(bin_directory, gigabytes, say):
    """Resident MiB of each relay when a share of all bytes has arrived, and the most there was."""
    count = int(gigabytes * 1e9 / FLOW.size)
    mesh = Mesh(bin_directory, job_of(FLOW, count), count)
    try:
        shares = {relay: {} for relay in RELAYS}
        mesh.begin()
        begun = since = time.monotonic()
        seen = 0
        while seen < count:
            time.sleep(0.1)
            distinct = mesh.statistics().get("distinct", 0)
            if distinct != seen:
                seen, since = distinct, time.monotonic()
            for point in POINTS:
                for relay in RELAYS:
                    if seen >= point * count and point not in shares[relay]:
                        shares[relay][point] = resident(mesh.processes[relay].pid, "VmRSS")
            if time.monotonic() - since > 60:
                raise RuntimeError(f"nothing came for 60 s:\n{mesh.logs()}")
        say(f"flat: {gigabytes} GB in {time.monotonic() - begun:.0f} s")
        return {"gigabytes": gigabytes, "seconds": time.monotonic() - begun,
                "relays": {relay: {"at": shares[relay], "most": mesh.peak(relay)} for relay in RELAYS}}
    finally:
        mesh.stop()


def growth(results):
    """MiB between a quarter and all of the bytes, of the relay where it is most."""
    return max(_at(r, 1.0) - _at(r, 0.25) for r in results["relays"].values())


def _at(relay, point):
    # Keys of a file's objects are words.
    return relay["at"].get(point, relay["at"].get(str(point)))


def table(results):
    shares = " | ".join(f"{point:.0%}" for point in POINTS)
    lines = [f"| RSS MiB after a share of {results['gigabytes']:g} GB | {shares} | most |", "|---" * (len(POINTS) + 2) + "|"]
    for name, relay in zip(("first relay", "second relay"), results["relays"].values()):
        lines.append(f"| {name} | " + " | ".join(f"{_at(relay, point):.0f}" for point in POINTS) + f" | {relay['most']:.0f} |")
    return "\n".join(lines)
