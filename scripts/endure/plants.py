"""The mesh that faults are thrown at: two zones, two ways between them, data both ways.

    a/agent ── a/relay ══ dmz/relay-1 ══ b/relay ── b/agent
                       ╚═ dmz/relay-2 ═╝

Each double line goes through a fault proxy. Lines of a file at either end go to a file or a table at the other; `there` in many
small envelopes, `back` in few large ones. Sources do not send again while faults happen: a relay that lets go of
something too soon cannot hide behind them.
"""
import os, signal

from .layout import Layout
from .lines import Lines
from .mesh import Mesh, free_ports
from .outputs import OUTPUTS
from .progress import say, wait_until
from .proxy import FaultProxy

AGENTS = ("a/agent", "b/agent")
RELAYS = ("a/relay", "dmz/relay-1", "dmz/relay-2", "b/relay")
BETWEEN = [(end, middle) for middle in RELAYS[1:3] for end in ("a/relay", "b/relay")]


class Plants:
    def __init__(self, directory, bin_directory, records, seed, sink="files"):
        self.directory = directory
        there = records // 2
        self.flows = [Lines("there", there, seed), Lines("back", records - there, seed)]
        self.outputs = [OUTPUTS[sink](lines, directory) for lines in self.flows]
        self.fed = [0, 0]
        os.makedirs(os.path.join(directory, "input"))
        self._inputs = [open(self._input(lines), "ab", buffering=0) for lines in self.flows]
        for file, output in zip(self._inputs, self.outputs):
            file.write(output.header)
        ports = free_ports(len(RELAYS) + len(BETWEEN))
        self.listening = dict(zip(RELAYS, ports))
        self.proxies = [
            FaultProxy(port, self.listening[middle]) for port, (_, middle) in zip(ports[len(RELAYS):], BETWEEN)]
        self.mesh = Mesh(directory, bin_directory)
        self.mesh.render(self._layout(resend_after="1d"))

    def _layout(self, resend_after):
        layout = Layout(
            store="{maxBytes: 512MiB, segmentBytes: 32MiB}", holdTime="{minimum: 20ms, maximum: 200ms}",
            resendAfter=resend_after)
        for relay in RELAYS:
            layout.relay(relay, self.listening[relay])
        for agent, made, taken in zip(AGENTS, self.outputs, reversed(self.outputs)):
            job = made.lines
            peer = AGENTS[1 - AGENTS.index(agent)]
            size = "1KiB" if job.name == "there" else "64KiB"
            layout.agent(
                agent,
                jobs=[f"{{name: {job.name}, to: {peer}, schedule: {{every: 100ms}}, batchBytes: {size}, source: "
                      f"{{kind: files, {made.source_mode}, path: {self._input(job)}}}}}"],
                sinks=[f"{{name: {taken.lines.name}, topics: [{taken.lines.name}], sink: {taken.sink}}}"])
            layout.link(agent, agent[0] + "/relay")
            layout.flow(job.name, agent, peer)
        for proxy, (end, middle) in zip(self.proxies, BETWEEN):
            layout.link(end, middle, cost=10 if middle == "dmz/relay-1" else 20, port=proxy.port)
        return layout

    def _input(self, lines):
        return os.path.join(self.directory, "input", lines.name + ".txt")

    def feed(self, most, slice):
        """Adds lines to both inputs, up to the share `most` of all, `slice` lines each at most."""
        for index, lines in enumerate(self.flows):
            first = self.fed[index]
            end = min(int(lines.count * most), first + slice)
            if end > first:
                self._inputs[index].write(lines.text(first, end))
                self.fed[index] = end

    @property
    def count_fed(self):
        return sum(self.fed)

    @property
    def count_arrived(self):
        return sum(output.count for output in self.outputs)

    def await_all(self):
        """Waits until everything has arrived, every source has its receipts and every relay is empty."""
        total = sum(lines.count for lines in self.flows)
        wait_until(
            f"all {total:,} records arrive", lambda: self.count_arrived >= total, lambda: self.count_arrived, self.mesh)
        # A receipt dies with a destination that is killed before it has sent it; it is made again for what comes again.
        wait_until("all nodes answer", lambda: all(map(self.mesh.is_ready, AGENTS + RELAYS)), mesh=self.mesh)
        self.mesh.render(self._layout(resend_after="2s"))
        for agent in AGENTS:
            self.mesh.processes[agent].send_signal(signal.SIGHUP)
        wait_until("nothing is left on the way", lambda: self._left() == 0, self._left, self.mesh, pause=0.5)

    def _left(self):
        """Envelopes that some node still has in its care; None where one does not answer."""
        statuses = [self.mesh.status(name) for name in AGENTS + RELAYS]
        if None in statuses:
            return None
        waiting = sum(status["counters"]["queued"] + status["counters"]["inFlight"] for status in statuses)
        return waiting + sum(job["unreceipted"] for status in statuses[:2] for job in status["jobs"])

    def judge(self, planted=None):
        """Stops all, reads what arrived, and says the verdict. `planted`: something to spoil before."""
        for name in list(self.mesh.processes):
            self.mesh.stop(name)
        if planted:
            self.outputs[0].plant(planted)
        return self.tell_verdicts()

    def tell_verdicts(self):
        verdicts = [output.judge() for output in self.outputs]
        for verdict in verdicts:
            say(str(verdict))
        return all(verdict.is_good for verdict in verdicts)

    def end(self):
        self.mesh.end()
        for proxy in self.proxies:
            proxy.close()
        for file in self._inputs:
            file.close()
