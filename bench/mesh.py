"""Agent - relay - relay - agent as four processes of this machine, in a directory of their own."""
import http.client, json, os, shutil, signal, subprocess, sys, tempfile, time

from common import HERE, cpu_of, free_ports, read_json, resident, transferred

sys.path.insert(0, os.path.join(HERE, "..", "scripts"))
from endure.mesh import AdminConnection

NODES = [("relayd", "b-relay"), ("agentd", "b-agent"), ("relayd", "a-relay"), ("agentd", "a-agent")]
RELAYS = ("a-relay", "b-relay")


def topology(ports, job, sink, durability):
    """`job`: lines of the measured job without its name and target, or none yet. `sink`: where it delivers."""
    jobs = "".join(f"\n            {line}" for line in job or ())
    jobs = f"\n        jobs:\n          - name: load\n            to: b/agent{jobs}" if job else ""
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
            sink: {sink}
links:
  - {{from: a/agent, to: a/relay}}
  - {{from: b/agent, to: b/relay}}
  - {{from: a/relay, to: b/relay}}
flows:
  - {{name: load, from: [a/agent], to: [b/agent], lane: live}}
"""


def job_of(case, count):
    rate = f", rate: {case.rate}" if case.rate else ""
    return ["schedule: {onChange: true}", "compression: none", *case.job,
            f"source: {{kind: synthetic, recordBytes: {case.size}, count: {count}{rate}}}"]


class Mesh:
    """Fresh nodes. The job comes by a reload, when all else stands: the start is not what is measured."""

    def __init__(self, bin_directory, job, expected, durability="cutThrough", sink=None):
        """`sink`: another than the one that counts up to `expected`."""
        self.bin = bin_directory
        self.dir = tempfile.mkdtemp(prefix="gridrelay-bench-")
        self.statistics_file = os.path.join(self.dir, "statistics.json")
        self.processes = {}
        ports = free_ports(2)
        sink = sink or f"{{kind: discard, statistics: {self.statistics_file}, expected: {expected}}}"
        try:
            self._render(topology(ports, None, sink, durability))
            for _, node in NODES:
                self.start(node)
            self.await_links()
            self._await_quiet_disk()
            self._render(topology(ports, job, sink, durability))
        except BaseException:
            self.stop()
            raise

    def begin(self):
        self.processes["a-agent"].send_signal(signal.SIGHUP)

    def start(self, node):
        program = next(program for program, name in NODES if name == node)
        with open(os.path.join(self.dir, node + ".log"), "a") as log:
            self.processes[node] = subprocess.Popen(
                [os.path.join(self.bin, program), "--config", os.path.join(self.dir, node, "node.yaml")], stdout=log, stderr=log)

    def kill(self, node):
        process = self.processes.pop(node)
        process.kill()
        process.wait()

    def _render(self, text):
        path = os.path.join(self.dir, "mesh.yaml")
        with open(path, "w") as f:
            f.write(text)
        done = subprocess.run(
            [os.path.join(self.bin, "relayctl"), "config", "render", "--topology", path, "--out", self.dir],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"relayctl config render ended with {done.returncode}:\n{done.stdout}")

    def _await_quiet_disk(self):
        """New journals first write their segments full of zeros; wait until they have."""
        def blocks(path):
            try:
                return os.stat(path).st_blocks
            except FileNotFoundError:
                return 0  # it has got another name

        def written():
            return sum(blocks(os.path.join(root, f)) for root, _, files in os.walk(self.dir) for f in files
                       if "store" in root)
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
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if answer.returncode == 0:
                links = {(l["from"], l["to"]): l["state"] for l in json.loads(answer.stdout)["links"]}
                if all(links.get(link) == "up" for link in wanted):
                    return
            time.sleep(0.05)
        raise RuntimeError("the links did not come up:\n" + self.logs())

    def statistics(self):
        return read_json(self.statistics_file)

    def status(self, node):
        """What it says of itself; empty where it does not answer."""
        connection = AdminConnection(os.path.join(self.dir, node, "admin.sock"), 5)
        try:
            connection.request("GET", "/v1/status")
            answer = connection.getresponse()
            return json.loads(answer.read()) if answer.status == 200 else {}
        except (OSError, http.client.HTTPException):
            return {}
        finally:
            connection.close()

    def wait(self, expected, still=60, pause=0.05):
        """Until so many different records have come: what the sink has counted."""
        figures = {}

        def distinct():
            figures.update(self.statistics())
            return figures.get("distinct", 0)
        self.watch(distinct, expected, still, pause)
        return figures

    def watch(self, count, expected, still=60, pause=0.05):
        """Until `count` is so high; gives up where it stayed the same for `still` seconds."""
        seen, since = -1, time.monotonic()
        while True:
            for node, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{node} ended with {process.returncode}:\n{self.log(node)}")
            now = count()
            if now >= expected:
                return
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > still:
                raise RuntimeError(f"nothing came for {still} s after {seen} of {expected}:\n{self.logs()}")
            time.sleep(pause)

    def accounts(self):
        """Of each node so far: seconds of CPU, bytes read from a disk and written to one."""
        return {node: (cpu_of(process.pid), *transferred(process.pid)) for node, process in self.processes.items()}

    def relay_cpu(self):
        return sum(cpu_of(self.processes[node].pid) for node in RELAYS)

    def peak(self, *nodes):
        return max(resident(self.processes[node].pid) for node in nodes)

    def log(self, node):
        with open(os.path.join(self.dir, node + ".log")) as f:
            return f"--- {node}\n" + f.read()[-2000:]

    def logs(self):
        return "\n".join(self.log(node) for node in self.processes)

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
