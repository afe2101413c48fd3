#!/usr/bin/env python3
"""Measures agent - relay - relay - agent on one machine: throughput by record size and latency at a fixed rate.

usage: bench/run.py [--bin DIR] [--reps N] [--seconds S] [--cases throughput,latency,isolation,disk] [--out DIR]

`isolation` tells what a slow or a dead destination does to another one, `disk` what the journal makes of the disk.

Every run gets fresh nodes and a fresh directory. All three hops are mutual TLS, envelopes are sealed end to end,
custody and receipts are on: the programs and settings are the ones that are shipped. Rates are taken at the sink
(first to last record); CPU and memory are the processes' own accounts. Prints a table; writes JSON and Markdown.
"""
import argparse, json, os, platform, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
import disk, isolation

SIZES = {"128 B": 128, "1 KiB": 1024, "64 KiB": 65536, "1 MiB": 1 << 20}
TICK = os.sysconf("SC_CLK_TCK")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def topology(ports, job, statistics_file, expected, durability, has_job):
    jobs = f"""
        jobs:
          - name: load
            to: b/agent
            schedule: {{onChange: true}}
            compression: none
            linger: {job['linger']}
            batchBytes: {job['batchBytes']}
            source: {{kind: synthetic, recordBytes: {job['recordBytes']}, count: {expected}{job['rate']}}}""" if has_job else ""
    return f"""
mesh: bench
defaults:
  durability: {durability}
  store: {{maxBytes: 4GiB}}
zones:
  a:
    nodes:
      relay: {{role: relay, listen: [{{host: 127.0.0.1, port: {ports[0]}}}]}}
      agent:
        role: agent{jobs}
  b:
    nodes:
      relay: {{role: relay, listen: [{{host: 127.0.0.1, port: {ports[1]}}}]}}
      agent:
        role: agent
        sinks:
          - name: measure
            topics: [load]
            sink: {{kind: discard, statistics: {statistics_file}, expected: {expected}}}
links:
  - {{from: a/agent, to: a/relay}}
  - {{from: b/agent, to: b/relay}}
  - {{from: a/relay, to: b/relay}}
flows:
  - {{name: load, from: [a/agent], to: [b/agent], lane: live}}
"""


class Mesh:
    NODES = [("relayd", "b-relay"), ("agentd", "b-agent"), ("relayd", "a-relay"), ("agentd", "a-agent")]

    def __init__(self, bin_dir, job, expected, durability):
        self.dir = tempfile.mkdtemp(prefix="gridrelay-bench-")
        self.statistics_file = os.path.join(self.dir, "statistics.json")
        self.bin = bin_dir
        ports = free_ports(2)
        self.render(topology(ports, job, self.statistics_file, expected, durability, False))
        self.processes = {}
        for program, node in self.NODES:
            log = open(os.path.join(self.dir, node + ".log"), "w")
            self.processes[node] = subprocess.Popen(
                [os.path.join(bin_dir, program), "--config", os.path.join(self.dir, node, "node.yaml")],
                stdout=log, stderr=log)
        self.await_links()
        self.await_quiet_disk()
        # The job comes by a reload, when all else stands: the start is not what is measured here.
        self.render(topology(ports, job, self.statistics_file, expected, durability, True))
        self.processes["a-agent"].send_signal(signal.SIGHUP)

    def render(self, text):
        path = os.path.join(self.dir, "mesh.yaml")
        with open(path, "w") as f:
            f.write(text)
        subprocess.run(
            [os.path.join(self.bin, "relayctl"), "config", "render", "--topology", path, "--out", self.dir],
            check=True, stdout=subprocess.DEVNULL)

    def await_quiet_disk(self):
        """New journals first write their segments full of zeros; wait until they have."""
        def written():
            total = 0
            for root, _, files in os.walk(self.dir):
                total += sum(os.stat(os.path.join(root, f)).st_size for f in files if f.endswith((".free", ".segment", ".log")) or "seg" in f)
            return total
        before, still = -1, 0
        while still < 10:
            now = written()
            still = still + 1 if now == before else 0
            before = now
            time.sleep(0.1)
        os.sync()

    def await_links(self):
        command = [os.path.join(self.bin, "relayctl"), "topology", "-o", "json", "--socket",
                   os.path.join(self.dir, "a-relay", "admin.sock")]
        wanted = [("a/relay", "b/relay"), ("b/agent", "b/relay"), ("a/agent", "a/relay")]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if answer.returncode == 0:
                links = {(l["from"], l["to"]): l["state"] for l in json.loads(answer.stdout)["links"]}
                if all(links.get(link) == "up" for link in wanted):
                    return
            time.sleep(0.05)
        raise RuntimeError("the links did not come up:\n" + "\n".join(self.log(n) for n in self.processes))

    def cpu(self, node):
        with open(f"/proc/{self.processes[node].pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def peak_rss(self, node):
        with open(f"/proc/{self.processes[node].pid}/status") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))

    def wait(self, expected, limit):
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for node, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{node} ended with {process.returncode}:\n{self.log(node)}")
            try:
                with open(self.statistics_file) as f:
                    figures = json.load(f)
                if figures["distinct"] >= expected:
                    return figures
            except (FileNotFoundError, json.JSONDecodeError):
                pass
            time.sleep(0.05)
        raise RuntimeError("not everything arrived in time:\n" + "\n".join(self.log(n) for n in self.processes))

    def log(self, node):
        with open(os.path.join(self.dir, node + ".log")) as f:
            return f"--- {node}\n" + f.read()[-2000:]

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def measure(bin_dir, job, expected, limit, durability="cutThrough"):
    mesh = Mesh(bin_dir, job, expected, durability)
    try:
        figures = mesh.wait(expected, limit)
        assert figures["duplicates"] == 0 and figures["missing"] == 0, figures
        seconds = max(1, figures["lastTime"] - figures["firstTime"]) / 1000
        figures.update(
            seconds=seconds, relayCPU=mesh.cpu("a-relay") + mesh.cpu("b-relay"),
            agentCPU=mesh.cpu("a-agent") + mesh.cpu("b-agent"),
            relayRSS=max(mesh.peak_rss("a-relay"), mesh.peak_rss("b-relay")),
            agentRSS=max(mesh.peak_rss("a-agent"), mesh.peak_rss("b-agent")))
        return figures
    finally:
        mesh.stop()


def throughput(args, size, batch_bytes, durability):
    job = {"linger": "0ms", "batchBytes": size if batch_bytes == 1 else max(batch_bytes, size + 1024), "recordBytes": size, "rate": ""}
    pilot_count = max(20, min(200_000, (64 << 20) // size)) if batch_bytes > 1 else 20_000
    pilot = measure(args.bin, job, pilot_count, 120, durability)
    rate = pilot_count / pilot["seconds"]
    count = max(pilot_count, int(rate * args.seconds))
    runs = [measure(args.bin, job, count, args.seconds * 20 + 60, durability) for _ in range(args.reps)]
    rates = [count / r["seconds"] for r in runs]
    envelopes = [r["deliveries"] / r["seconds"] for r in runs]
    return {
        "records": count, "bytes": size, "batchBytes": job["batchBytes"], "durability": durability,
        "recordsPerSecond": spread(rates), "envelopesPerSecond": spread(envelopes),
        "megabytesPerSecond": spread([r * size / 1e6 for r in rates]),
        "relayCPUPerMillion": spread([r["relayCPU"] / count * 1e6 for r in runs]),
        "relayRSS": max(r["relayRSS"] for r in runs), "agentRSS": max(r["agentRSS"] for r in runs)}


def latency(args, durability):
    job = {"linger": "0ms", "batchBytes": 2048, "recordBytes": 1024, "rate": ", rate: 1000"}
    count = int(1000 * max(args.seconds * 2, 10))
    runs = [measure(args.bin, job, count, count / 1000 + 60, durability) for _ in range(args.reps)]
    return {
        "records": count, "durability": durability,
        "p50": spread([r["latencyP50"] / 1000 for r in runs]), "p99": spread([r["latencyP99"] / 1000 for r in runs]),
        "max": max(r["latencyMax"] / 1000 for r in runs)}


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def show(figure, form="{:,.0f}"):
    return f"{form.format(figure['median'])} ({form.format(figure['min'])}-{form.format(figure['max'])})"


def table(results):
    lines = [] if not results["throughput"] else [
        "| record | batch | durability | records/s | envelopes/s | MB/s | relays' CPU s per million | RSS relay / agent MiB |",
        "|---|---|---|---|---|---|---|---|"]
    for name, r in results["throughput"].items():
        lines.append(
            f"| {name} | {r['batchBytes']:,} B | {r['durability']} | {show(r['recordsPerSecond'])} | "
            f"{show(r['envelopesPerSecond'])} | {show(r['megabytesPerSecond'], '{:,.1f}')} | "
            f"{show(r['relayCPUPerMillion'], '{:,.2f}')} | {r['relayRSS']:.0f} / {r['agentRSS']:.0f} |")
    if results["latency"]:
        lines += ["", "| latency, 1 KiB at 1,000/s, linger 0 | p50 us | p99 us | max us |", "|---|---|---|---|"]
        for name, r in results["latency"].items():
            lines.append(f"| {name} | {show(r['p50'])} | {show(r['p99'])} | {r['max']:,.0f} |")
    if results["isolation"]:
        lines += ["", isolation.table(results["isolation"])]
    if results["disk"]:
        lines += ["", disk.table(results["disk"])]
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "when": time.strftime("%Y-%m-%d")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=".build/release", help="folder with relayd, agentd, relayctl and bench")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="about how long one measured run takes")
    parser.add_argument("--cases", default="throughput,latency")
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--out", default="bench/out")
    parser.add_argument("--relay-stores", metavar="DIR", help="isolation: where the relays' stores are, such as /dev/shm")
    args = parser.parse_args()
    results = {"machine": machine(), "throughput": {}, "latency": {}, "isolation": {}, "disk": []}

    def say(what):
        print(f"... {what}", file=sys.stderr, flush=True)

    def step(kind, name, body):
        say(f"{kind} {name}")
        results[kind][name] = body()

    if "throughput" in args.cases:
        for name in args.sizes.split(","):
            size = SIZES[name]
            step("throughput", name, lambda: throughput(args, size, 256 << 10, "cutThrough"))
        if "128 B" in args.sizes:
            step("throughput", "128 B, one an envelope", lambda: throughput(args, 128, 1, "cutThrough"))
            step("throughput", "128 B, store first", lambda: throughput(args, 128, 256 << 10, "storeFirst"))
    if "latency" in args.cases:
        for durability in ["cutThrough", "storeFirst"]:
            step("latency", durability, lambda: latency(args, durability))
    if "isolation" in args.cases:
        results["isolation"] = isolation.measure(args.bin, args.reps, args.seconds, args.relay_stores, say)
    if "disk" in args.cases:
        results["disk"] = disk.measure(os.path.join(args.bin, "bench"), args.reps, say)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "results.json"), "w") as f:
        json.dump(results, f, indent=2)
    text = table(results)
    with open(os.path.join(args.out, "results.md"), "w") as f:
        f.write(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
