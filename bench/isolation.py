"""What a slow or a dead destination does to another one's data, from the same agent over the same links.

    a/agent ── a/relay ══ b/relay ── b/agent (measured)
                                  └─ b/other (absent: no data for it; healthy, slow or dead)

Each repetition takes all four, one after the other; ratios are made within it. All nodes share this machine's disk, which
those in a mesh do not; `--relay-stores` puts the relays' elsewhere, such as into memory.
"""
import json, os, shutil, signal, statistics, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))
from endure.layout import Layout
from endure.mesh import Mesh, free_ports
from endure.progress import wait_until

OTHERS = ["absent", "healthy", "slow", "dead"]
# What is for the other: 2 MB/s in envelopes of 16 KiB, little enough that its own work does not take the cores away.
OTHER = ("{name: other, to: b/other, schedule: {onChange: true}, compression: none, batchBytes: 16KiB, linger: 5ms, "
         "source: {kind: synthetic, recordBytes: 1024, rate: 2000}}")
# A slow destination works for so many seconds and then stands still for so many, well below the silence that ends a link.
WORKS, STANDS = 0.1, 0.9
# For so long the other's data flows, or piles up, before the measured one's begins.
BEFORE = 3


def measure(bin_directory, reps, seconds, stores, say):
    """Lists of MB/s and of the 99th percentile in microseconds, for each kind of other destination."""
    results = {other: {"throughput": [], "p99": []} for other in OTHERS}
    place = (bin_directory, stores)
    pilot = _throughput(place, "absent", 50_000)
    count = int(max(50_000, pilot * 1e6 / 1024 * seconds))
    for _ in range(reps):
        for other in OTHERS:
            say(f"isolation {other}")
            results[other]["throughput"].append(_throughput(place, other, count))
            results[other]["p99"].append(_latency(place, other, int(1000 * max(10, seconds))))
    return results


def _throughput(place, other, count):
    figures = _run(place, other, count, "batchBytes: 256KiB, linger: 0ms", "")
    return count * 1024 / 1e3 / max(1, figures["lastTime"] - figures["firstTime"])


def _latency(place, other, count):
    return _run(place, other, count, "batchBytes: 2KiB, linger: 0ms", ", rate: 1000")["latencyP99"] / 1000


def _run(place, other, count, batch, rate):
    bin_directory, stores = place
    directory = tempfile.mkdtemp(prefix="gridrelay-bench-")
    stores = stores and tempfile.mkdtemp(prefix="gridrelay-bench-", dir=stores)
    mesh, over = Mesh(directory, bin_directory), threading.Event()
    try:
        statistics_file = os.path.join(directory, "statistics.json")
        ports = free_ports(2)
        others = [] if other == "absent" else [OTHER]
        mesh.render(_layout(ports, stores, statistics_file, count, []))
        mesh.start_all(but=("b/other",) if other == "dead" else ())
        wait_until("the links are up", lambda: all(mesh.has_links(name) for name in ("a/agent", "a/relay", "b/agent")),
                   mesh=mesh)
        # Jobs come by reloads, when all else stands: the start is not what is measured here.
        mesh.render(_layout(ports, stores, statistics_file, count, others))
        mesh.processes["a/agent"].send_signal(signal.SIGHUP)
        if other == "slow":
            threading.Thread(target=_slow, args=(mesh.processes["b/other"], over), daemon=True).start()
        time.sleep(BEFORE)
        measured = (f"{{name: load, to: b/agent, schedule: {{onChange: true}}, compression: none, {batch}, source: "
                    f"{{kind: synthetic, recordBytes: 1024, count: {count}{rate}}}}}")
        mesh.render(_layout(ports, stores, statistics_file, count, others + [measured]))
        mesh.processes["a/agent"].send_signal(signal.SIGHUP)
        wait_until("all has arrived", lambda: _read(statistics_file).get("distinct", 0) >= count,
                   lambda: _read(statistics_file).get("distinct"), mesh)
        figures = _read(statistics_file)
        assert figures["duplicates"] == 0 and figures["missing"] == 0, figures
        return figures
    finally:
        over.set()
        mesh.end()
        for tree in filter(None, (directory, stores)):
            shutil.rmtree(tree, ignore_errors=True)


def _slow(process, over):
    while not over.is_set() and process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        over.wait(STANDS)
        process.send_signal(signal.SIGCONT)
        over.wait(WORKS)


def _layout(ports, stores, statistics_file, count, jobs):
    layout = Layout(store="{maxBytes: 4GiB}")
    for relay, port in zip(("a/relay", "b/relay"), ports):
        store = f"{{directory: {stores}/{relay.replace('/', '-')}, maxBytes: 4GiB}}"
        layout.relay(relay, port, extra=[f"store: {store}"] if stores else [])
    layout.agent("a/agent", jobs=jobs)
    layout.agent("b/agent", sinks=[
        f"{{name: load, topics: [load], sink: {{kind: discard, statistics: {statistics_file}, expected: {count}}}}}"])
    layout.agent("b/other", sinks=["{name: other, topics: [other], sink: {kind: discard}}"])
    layout.link("a/agent", "a/relay")
    layout.link("b/agent", "b/relay")
    layout.link("b/other", "b/relay")
    layout.link("a/relay", "b/relay")
    layout.flow("load", "a/agent", "b/agent")
    layout.flow("other", "a/agent", "b/other")
    return layout


def _read(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def table(results):
    lines = [
        "| the other destination | MB/s | of absent | of healthy | p99 us | of absent | of healthy |", "|---|---|---|---|---|---|---|"]
    for other, figures in results.items():
        cells = []
        for kind, form in (("throughput", "{:,.1f}"), ("p99", "{:,.0f}")):
            values = figures[kind]
            cells.append(f"{form.format(statistics.median(values))} ({form.format(min(values))}-{form.format(max(values))})")
            for base in ("absent", "healthy"):
                cells.append(f"{statistics.median(v / b for v, b in zip(values, results[base][kind])):.2f}")
        lines.append(f"| {other} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
