"""Many agents on one relay: 500 that send what one did, and sessions that only stay.

`bench crowd` plays the agents in one process, each with a certificate and a TLS session of its own, and the destination too.
Its own work is in the figures, so a ratio tells less than all of what the relay loses.
"""
import json, os, resource, shutil, subprocess, tempfile, time

from common import cpu_of, free_ports, resident, show, spread

SCALE, IDLE, BODY, COUNT = (1, 10, 100, 500), 5_000, 1024, 1_000_000
IDLE_SECONDS = 10


def measure(bin_directory, reps, idle, say):
    """`idle`: how many sessions that only stay."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = tempfile.mkdtemp(prefix="gridrelay-bench-")
    try:
        trial = _Trial(bin_directory, directory, max(*SCALE, idle))
        runs = []
        for _ in range(reps):
            runs.append([{"agents": agents} | trial.load(agents) for agents in SCALE])
            say("agents: " + ", ".join(f"{point['agents']}: {point['rate']:,.0f}/s" for point in runs[-1]))
        return {"body": BODY, "runs": runs, "idle": trial.idle(idle)}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class _Trial:
    def __init__(self, bin_directory, directory, agents):
        self.bin, self.directory, self.port = bin_directory, directory, free_ports(1)[0]
        names = [f"n{i}" for i in range(agents)] + ["sink"]
        nodes = "".join(f"      {name}: {{role: agent}}\n" for name in names)
        links = "".join(f"  - {{from: a/{name}, to: a/relay}}\n" for name in names)
        with open(os.path.join(directory, "mesh.yaml"), "w") as f:
            f.write(f"mesh: bench\nzones:\n  a:\n    nodes:\n      relay: {{role: relay, listen: [{{host: 127.0.0.1, "
                    f"port: {self.port}}}]}}\n{nodes}links:\n{links}flows:\n  - {{name: load, from: [a/*], to: [a/sink]}}\n")
        done = subprocess.run(
            [os.path.join(bin_directory, "relayctl"), "config", "render", "--topology", os.path.join(directory, "mesh.yaml"),
             "--out", directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"relayctl config render ended with {done.returncode}:\n{done.stdout[-2000:]}")

    def load(self, agents):
        """Envelopes a second that a destination gets of so many agents, and the relay's CPU for a million of them."""
        with _Relay(self) as relay:
            crowd = relay.crowd(agents, COUNT, BODY)
            _line(crowd)
            cpu = cpu_of(relay.process.pid)
            return {"rate": _line(crowd)["envelopesPerSecond"], "relayCPUPerMillion": (cpu_of(relay.process.pid) - cpu) / COUNT * 1e6}

    def idle(self, sessions):
        with _Relay(self) as relay:
            before = resident(relay.process.pid, "VmRSS")
            crowd = relay.crowd(sessions)
            seconds = _line(crowd)["seconds"]
            time.sleep(2)
            cpu, begun = cpu_of(relay.process.pid), time.monotonic()
            time.sleep(IDLE_SECONDS)
            share = (cpu_of(relay.process.pid) - cpu) / (time.monotonic() - begun)
            return {"sessions": sessions, "connected": seconds, "cores": share,
                    "kibibytesEach": (resident(relay.process.pid, "VmRSS") - before) * 1024 / sessions}


class _Relay:
    def __init__(self, trial):
        self.trial, self.crowds = trial, []
        home = os.path.join(trial.directory, "a-relay")
        shutil.rmtree(os.path.join(home, "store"), ignore_errors=True)
        self.log = open(os.path.join(trial.directory, "relay.log"), "w")
        self.process = subprocess.Popen([os.path.join(trial.bin, "relayd"), "--config", os.path.join(home, "node.yaml")],
                                        stdout=self.log, stderr=self.log)

    def __enter__(self):
        time.sleep(2)
        return self

    def crowd(self, *words):
        process = subprocess.Popen(
            [os.path.join(self.trial.bin, "bench"), "crowd", self.trial.directory, str(self.trial.port), *map(str, words)],
            stdout=subprocess.PIPE, text=True)
        self.crowds.append(process)
        return process

    def __exit__(self, *_):
        for process in [*self.crowds, self.process]:
            process.kill()
            process.wait()
        self.log.close()


def _line(process):
    figures = json.loads(process.stdout.readline() or '{"failed": "the crowd ended"}')
    if "failed" in figures:
        raise RuntimeError(f"bench crowd: {figures['failed']}")
    return figures


def scale(results):
    """For each number of agents the spreads of its rate, its ratio to one agent's within a repetition, the relay's CPU."""
    points = []
    for index, first in enumerate(results["runs"][0]):
        made = [(run[index], run[0]) for run in results["runs"]]
        points.append({
            "agents": first["agents"], "rate": spread([point["rate"] for point, _ in made]),
            "ratio": spread([point["rate"] / one["rate"] for point, one in made]),
            "relayCPUPerMillion": spread([point["relayCPUPerMillion"] for point, _ in made])})
    return points


def table(results):
    lines = [f"| agents on one relay, {results['body']:,} B bodies | envelopes/s | of one agent's | relay's CPU s per million |",
             "|---|---|---|---|"]
    for point in scale(results):
        lines.append(f"| {point['agents']} | {show(point['rate'])} | {show(point['ratio'], '{:,.2f}')} | "
                     f"{show(point['relayCPUPerMillion'], '{:,.2f}')} |")
    idle = results["idle"]
    return "\n".join([*lines, "", f"{idle['sessions']:,} sessions that only stay: {idle['kibibytesEach']:.1f} KiB resident each, "
                      f"{idle['cores']:.1%} of a core; they were there after {idle['connected']:.0f} s."])
