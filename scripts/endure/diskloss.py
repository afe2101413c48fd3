"""A relay's whole store is deleted while it holds a hundred thousand envelopes: all arrive all the same, each once.

    a/source ── a/relay ══ b/relay ── b/destination (down until the store is gone)

The sources keep what has no receipt and send it again after `--resend` seconds.
"""
import os, shutil, time

from .layout import Layout
from .lines import Lines
from .mesh import Mesh, free_ports
from .outputs import FileOutput, add_plant_option
from .progress import say, wait_until

# A stream may run 64,512 ahead of its receipts, and each job has its own.
MOST_A_JOB = 60_000


def add_options(parser):
    parser.add_argument("--envelopes", type=int, default=100_000, help="one line each")
    parser.add_argument("--resend", type=int, default=10, metavar="SECONDS", help="the sources' resendAfter")
    add_plant_option(parser)


def run(options, directory):
    scene = DiskLoss(directory, options)
    try:
        scene.fill()
        scene.lose()
        scene.deliver()
        return scene.judge(options.plant)
    finally:
        scene.mesh.end()


class DiskLoss:
    def __init__(self, directory, options):
        self.options, self.directory = options, directory
        jobs = max(2, -(-options.envelopes // MOST_A_JOB))
        self.jobs = [
            Lines(f"lines-{job}", options.envelopes // jobs + (job < options.envelopes % jobs), options.seed)
            for job in range(jobs)]
        self.outputs = [FileOutput(lines, directory) for lines in self.jobs]
        self.inputs = [os.path.join(directory, f"input-{lines.name}.txt") for lines in self.jobs]
        for lines, path in zip(self.jobs, self.inputs):
            with open(path, "wb") as f:
                f.write(lines.text(0, lines.count))
        self.mesh = Mesh(directory, options.bin)
        self.mesh.render(self._layout())

    def _layout(self):
        layout = Layout(store="{maxBytes: 4GiB}", resendAfter=f"{self.options.resend}s")
        ports = free_ports(2)
        layout.relay("a/relay", ports[0])
        layout.relay("b/relay", ports[1])
        layout.agent("a/source", jobs=[
            f"{{name: {lines.name}, to: b/destination, schedule: {{onChange: true}}, batchBytes: 1, linger: 0ms, source: "
            f"{{kind: files, mode: lines, path: {path}}}}}" for lines, path in zip(self.jobs, self.inputs)])
        layout.agent("b/destination", sinks=[
            f"{{name: {output.lines.name}, topics: [{output.lines.name}], sink: {output.sink}}}"
            for output in self.outputs])
        layout.link("a/source", "a/relay")
        layout.link("b/destination", "b/relay")
        layout.link("a/relay", "b/relay")
        layout.flow("lines", "a/source", "b/destination")
        return layout

    @property
    def count_arrived(self):
        return sum(output.count for output in self.outputs)

    def stored(self):
        status = self.mesh.status("a/relay")
        return status["store"]["envelopes"] if status else None

    def fill(self):
        begun = time.monotonic()
        self.mesh.start_all(but=("b/destination",))
        wanted = self.options.envelopes
        wait_until(f"{wanted:,} envelopes are stored", lambda: (self.stored() or 0) >= wanted, self.stored, self.mesh, 0.2)
        say(f"filled in {time.monotonic() - begun:.0f} s: a/relay holds {self.stored():,} envelopes")

    def lose(self):
        self.mesh.kill("a/relay")
        shutil.rmtree(self.mesh.store("a/relay"))
        self.restarted = time.monotonic()
        self.mesh.start("a/relay")
        self.mesh.start("b/destination")
        say("a/relay was killed and its store deleted; it and the destination start")

    def deliver(self):
        wanted = self.options.envelopes
        wait_until("the first arrives", lambda: self.count_arrived > 0, self._waits, self.mesh)
        say(f"the first arrived {self._since():.1f} s after the restart (resendAfter is {self.options.resend} s)")
        wait_until(
            f"all {wanted:,} arrive", lambda: self.count_arrived >= wanted, lambda: self.count_arrived, self.mesh)
        say(f"all arrived {self._since():.1f} s after the restart")
        wait_until("nothing is left on the way", lambda: self._left() == 0, self._left, self.mesh, 0.5)
        say(f"all receipts were back and all stores empty {self._since():.1f} s after the restart")

    def _since(self):
        return time.monotonic() - self.restarted

    def _waits(self):
        """Changes while the sources' delay runs, so that a long `--resend` is not taken for standing still."""
        return int(self._since()) if self._since() < self.options.resend else self.count_arrived

    def _left(self):
        statuses = [self.mesh.status(name) for name in self.mesh.layout.nodes]
        if None in statuses:
            return None
        waiting = sum(status["counters"]["queued"] + status["counters"]["inFlight"] for status in statuses)
        return waiting + sum(job["unreceipted"] for status in statuses for job in status.get("jobs") or ())

    def judge(self, planted):
        for name in list(self.mesh.processes):
            self.mesh.stop(name)
        if planted:
            self.outputs[0].plant(planted)
        verdicts = [output.judge() for output in self.outputs]
        for verdict in verdicts:
            say(str(verdict))
        return all(verdict.is_good for verdict in verdicts)
