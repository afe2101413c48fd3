"""From the start of a relay to the first envelope that it has forwarded, and how large its program is.

    x/agent ── x/relay ══ m/relay ══ y/relay ── y/agent

All stand but the relay in the middle, which dials both others; an envelope for y waits at x. So no one's pause between two
attempts to dial is part of the time.
"""
import os, shutil, subprocess, sys, tempfile, time

from common import HERE, output_of, read_json, show, spread

sys.path.insert(0, os.path.join(HERE, "..", "scripts"))
from endure.layout import Layout
from endure.mesh import Mesh, free_ports
from endure.progress import Failed, wait_until


def measure(bin_directory, reps, say):
    runs = {"first": [], "again": []}
    for _ in range(reps):
        for kind, times in runs.items():
            times.append(_run(bin_directory, kind == "again"))
            say(f"start ({kind}): {times[-1]:.0f} ms")
    return {"milliseconds": {kind: spread(times) for kind, times in runs.items()}, "runs": runs,
            "program": _program(bin_directory)}


def _run(bin_directory, has_store):
    directory = tempfile.mkdtemp(prefix="gridrelay-bench-")
    mesh = Mesh(directory, bin_directory)
    statistics_file = os.path.join(directory, "statistics.json")
    try:
        mesh.render(_layout(free_ports(3), statistics_file))
        if has_store:
            mesh.start("m/relay")
            wait_until("the relay is ready", lambda: mesh.is_ready("m/relay"), mesh=mesh)
            mesh.stop("m/relay")
        mesh.start_all(but=("m/relay",))
        for agent in ("x/agent", "y/agent"):
            wait_until(f"{agent} has its link", lambda: mesh.has_links(agent), mesh=mesh)
        # The envelope gets as far as it can.
        time.sleep(1)
        begun = time.time() * 1000
        mesh.start("m/relay")
        wait_until("the envelope has arrived", lambda: read_json(statistics_file).get("distinct", 0) >= 1, mesh=mesh, pause=0.01)
        return read_json(statistics_file)["firstTime"] - begun
    except Failed as failure:
        raise RuntimeError(str(failure))
    finally:
        mesh.end()
        shutil.rmtree(directory, ignore_errors=True)


def _layout(ports, statistics_file):
    layout = Layout(durability="cutThrough")
    for relay, port in zip(("x/relay", "m/relay", "y/relay"), ports):
        layout.relay(relay, port)
    layout.agent("x/agent", jobs=[
        "{name: load, to: y/agent, schedule: {onChange: true}, source: {kind: synthetic, recordBytes: 128, count: 1}}"])
    layout.agent("y/agent", sinks=[
        f"{{name: load, topics: [load], sink: {{kind: discard, statistics: {statistics_file}, expected: 1}}}}"])
    for dialling, listening in (("x/agent", "x/relay"), ("y/agent", "y/relay"), ("m/relay", "x/relay"), ("m/relay", "y/relay")):
        layout.link(dialling, listening)
    layout.flow("load", "x/agent", "y/agent")
    return layout


def _program(bin_directory):
    """Bytes of relayd without symbols, and which of Swift's libraries it wants to find on the system."""
    with tempfile.TemporaryDirectory() as directory:
        copy = os.path.join(directory, "relayd")
        shutil.copy(os.path.join(bin_directory, "relayd"), copy)
        subprocess.run(["strip", copy], check=True)
        libraries = [line.split()[0] for line in (output_of("ldd", copy) or "").splitlines()]
        return {"strippedBytes": os.path.getsize(copy),
                "swiftLibraries": [name for name in libraries if name.startswith(("libswift", "libFoundation", "lib_Foundation"))]}


def table(results):
    program = results["program"]
    missing = program["swiftLibraries"]
    linked = "with Swift's library inside" if not missing else f"which still needs {', '.join(missing)}"
    return (f"From the start of `relayd` to the first envelope that it forwarded: {show(results['milliseconds']['again'])} ms with a "
            f"store from before, {show(results['milliseconds']['first'])} ms with none. `relayd` without symbols has "
            f"{program['strippedBytes'] / 1e6:.1f} MB, {linked}.")
