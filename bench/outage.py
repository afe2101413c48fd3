"""A relay whose next relay is away: what it stores in a second beside what the disk does, how fast the backlog drains when the
other is back, and what fresh data notices of it.

    a/agent (the load; its own store is in memory) ─┬─ a/relay ══ b/relay ── b/agent
    a/live  (1,000 records/s of 1 KiB)             ─┘

By turns with a run of the same data in which nobody was away.
"""
import os, shutil, signal, statistics, sys, tempfile, time

from common import HERE, read_json, spread, show
from disk import synchronized_writes

sys.path.insert(0, os.path.join(HERE, "..", "scripts"))
from endure.layout import Layout
from endure.mesh import Mesh, free_ports
from endure.progress import Failed, wait_until

SIZE, BATCH = 1024, 256 << 10
LIVE_RATE, LIVE_SECONDS = 1000, 6


def measure(bin_directory, reps, seconds, say):
    count = int(max(seconds, 5) * 80e6 / SIZE)
    runs = []
    for _ in range(reps):
        try:
            healthy, away = _run(bin_directory, count, False), _run(bin_directory, count, True)
        except Failed as failure:
            raise RuntimeError(str(failure))
        run = {"stored": away["stored"], "fio": away["fio"], "drained": away["arrived"], "live": healthy["arrived"],
               "p99": healthy["p99"], "p99WhileDraining": away["p99"], "storeRatio": away["stored"] / away["fio"],
               "drainRatio": away["arrived"] / healthy["arrived"], "p99Ratio": away["p99"] / healthy["p99"]}
        say("outage: " + ", ".join(f"{key} {value:,.2f}" for key, value in run.items()))
        runs.append(run)
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]} | {"runs": runs}


class _Trial:
    def __init__(self, bin_directory, count):
        self.count = count
        self.directory = tempfile.mkdtemp(prefix="gridrelay-bench-")
        self.memory = tempfile.mkdtemp(prefix="gridrelay-bench-", dir="/dev/shm")
        self.mesh = Mesh(self.directory, bin_directory)
        self.ports = free_ports(2)
        self.jobs = {"load": [], "live": []}

    def file(self, flow):
        return os.path.join(self.directory, f"{flow}.json")

    def arrived(self, flow):
        return read_json(self.file(flow)).get("distinct", 0)

    def render(self):
        layout = Layout(store="{maxBytes: 4GiB}")
        for relay, port in zip(("a/relay", "b/relay"), self.ports):
            # After an outage of seconds, what waited is history as it is by default after one of a minute.
            layout.relay(relay, port, extra=["history: {after: 1s}"])
        layout.agent("a/agent", jobs=self.jobs["load"], extra=[f"store: {{directory: {self.memory}/store, maxBytes: 4GiB}}"])
        layout.agent("a/live", jobs=self.jobs["live"])
        layout.agent("b/agent", sinks=[
            f"{{name: {flow}, topics: [{flow}], sink: {{kind: discard, statistics: {self.file(flow)}, expected: {expected}}}}}"
            for flow, expected in (("load", self.count), ("live", LIVE_RATE * LIVE_SECONDS))])
        for dialling, listening in (("a/agent", "a/relay"), ("a/live", "a/relay"), ("b/agent", "b/relay"), ("a/relay", "b/relay")):
            layout.link(dialling, listening)
        layout.flow("load", "a/agent", "b/agent")
        layout.flow("live", "a/live", "b/agent")
        self.mesh.render(layout)

    def begin(self, flow, agent, batch, source):
        """Jobs come by reloads, when all else stands."""
        self.jobs[flow] = [f"{{name: {flow}, to: b/agent, schedule: {{onChange: true}}, compression: none, {batch}, "
                           f"source: {{kind: synthetic, recordBytes: {SIZE}, {source}}}}}"]
        self.render()
        self.mesh.processes[agent].send_signal(signal.SIGHUP)

    def begin_load(self):
        self.begin("load", "a/agent", f"batchBytes: {BATCH}", f"count: {self.count}")

    def begin_live(self):
        self.begin("live", "a/live", f"batchBytes: {SIZE}, linger: 0ms", f"count: {LIVE_RATE * LIVE_SECONDS}, rate: {LIVE_RATE}")

    def end(self):
        self.mesh.end()
        for tree in (self.directory, self.memory):
            shutil.rmtree(tree, ignore_errors=True)


def _run(bin_directory, count, is_away):
    trial = _Trial(bin_directory, count)
    mesh, figures = trial.mesh, {}
    try:
        trial.render()
        mesh.start_all()
        wait_until("the links are up", lambda: all(mesh.has_links(n) for n in ("a/agent", "a/live", "a/relay", "b/agent")), mesh=mesh)
        time.sleep(1)
        if is_away:
            figures |= _store(trial)
            mesh.start("b/relay")
        else:
            trial.begin_load()
        # Fresh data is what is made once the way stands; else its latency would be that of the start.
        wait_until("the load flows", lambda: trial.arrived("load") > 0, mesh=mesh, pause=0.01)
        trial.begin_live()
        wait_until("the load has arrived", lambda: trial.arrived("load") >= count, lambda: trial.arrived("load"), mesh)
        wait_until("the fresh data has arrived", lambda: trial.arrived("live") >= LIVE_RATE * LIVE_SECONDS,
                   lambda: trial.arrived("live"), mesh)
        load = read_json(trial.file("load"))
        if load["duplicates"] or load["missing"]:
            raise Failed(f"{load['duplicates']} repeated, {load['missing']} missing")
        seconds = max(1, load["lastTime"] - load["firstTime"]) / 1000
        return figures | {"arrived": count * SIZE / seconds / 1e6, "p99": read_json(trial.file("live"))["latencyP99"] / 1000}
    finally:
        trial.end()


def _store(trial):
    """Payload MB/s that the relay takes into its store while nothing can go on, and the disk's own rate just after."""
    mesh = trial.mesh
    mesh.kill("b/relay")
    held = lambda: (mesh.status("a/relay") or {"store": {"bytes": 0}})["store"]["bytes"]
    begun = time.monotonic()
    trial.begin_load()
    wait_until("all is stored", lambda: held() >= trial.count * SIZE, held, mesh)
    stored = trial.count * SIZE / (time.monotonic() - begun) / 1e6
    return {"stored": stored, "fio": synchronized_writes(1 << 20, min(1000, trial.count * SIZE >> 20))}


def table(results):
    def cell(key, form="{:,.1f}"):
        return show(spread([run[key] for run in results["runs"]]), form)
    of_live = show(spread([run["stored"] / run["live"] for run in results["runs"]]), "{:,.2f}")
    return "\n".join([
        "| | with the next relay away | to hold it against | ratio |", "|---|---|---|---|",
        f"| stored, MB/s (fio: 1 MiB a synchronize) | {cell('stored')} | {cell('fio')} | {cell('storeRatio', '{:,.2f}')} |",
        f"| the same, beside the live rate: no faster can it come | {cell('stored')} | {cell('live')} | {of_live} |",
        f"| drained, MB/s (the same data, nobody away) | {cell('drained')} | {cell('live')} | {cell('drainRatio', '{:,.2f}')} |",
        f"| p99 of fresh data, us (beside the same load) | {cell('p99WhileDraining', '{:,.0f}')} | {cell('p99', '{:,.0f}')} | "
        f"{cell('p99Ratio', '{:,.2f}')} |"])
