"""Kill -9 of either relay while 20,000 records/s flow, and its start two seconds later: what is lost or repeated, and for how
long nothing reaches the destination."""
import time

from cases import Case
from common import show, spread
from mesh import RELAYS, Mesh, job_of

FLOW = Case("failover", "128 B at 20,000/s", 128, 0, rate=20_000)
SECONDS, DOWN = 12, 2
GOAL = 1.0


def measure(bin_directory, reps, say):
    return {relay: [_run(bin_directory, relay, say) for _ in range(reps)] for relay in RELAYS}


def _run(bin_directory, relay, say):
    count = FLOW.rate * SECONDS
    mesh = Mesh(bin_directory, job_of(FLOW, count), count)
    try:
        mesh.begin()
        mesh.wait(count // 3)
        mesh.kill(relay)
        time.sleep(DOWN)
        started = time.time()
        mesh.start(relay)
        figures = mesh.wait(count)
        # The gap that matters is the one the kill made; it ends after the start.
        ends = (figures["longestGapEnd"] or 0) / 1000
        run = {"lost": figures["missing"] + count - figures["distinct"], "repeated": figures["duplicates"],
               "gap": figures["longestGap"] / 1e9, "afterStart": max(0.0, ends - started)}
    except RuntimeError as failure:
        run = {"failed": str(failure)}
    finally:
        mesh.stop()
    say(f"failover {relay}: {run}")
    return run


def table(results):
    lines = ["| killed, started 2 s later | lost | repeated | longest gap s | from the start to the next record s |", "|---|---|---|---|---|"]
    for relay, runs in results.items():
        good = [run for run in runs if "failed" not in run]
        cells = [str(sum(run[key] for run in good)) for key in ("lost", "repeated")]
        cells += [show(spread([run[key] for run in good]), "{:,.2f}") for key in ("gap", "afterStart")]
        name = "first relay" if relay == "a-relay" else "second relay"
        failed = f", {len(runs) - len(good)} runs failed" if len(good) < len(runs) else ""
        lines.append(f"| {name}{failed} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
