"""A relay with a million stored envelopes is killed: how soon does it take custody again, and in how much memory?

    a/source-1, a/source-2 ── a/relay ── a/destination (down until the end)
                  a/probe ──┘       └── a/witness

Goals: custody of a new envelope within 3 s of the start, at most 256 MiB resident. Time is told and never judged, since
others use the machine too; memory, loss and repetition are. `custody` is when the probe's envelope for the destination
that is down lies in the relay's journal, `receipt` when one for the witness has come to it and its receipt back.
"""
import json, os, threading, time

from .layout import Layout
from .mesh import Mesh, free_ports
from .progress import Failed, say, wait_until

SECONDS_GOAL, MEBIBYTES_GOAL = 3.0, 256
SOURCES = ("a/source-1", "a/source-2")
# A stream may run 64,512 ahead of its receipts, and each job has its own.
MOST_A_JOB = 62_500
# A bit more than a session must have lasted for the dialling end's delays to begin anew.
STEADY_SECONDS = 6


def add_options(parser):
    parser.add_argument("--envelopes", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=1024, help="of the record in each")
    parser.add_argument("--starts", type=int, default=3, help="how often the relay is killed and started")


def run(options, directory):
    scene = Million(directory, options)
    try:
        scene.fill()
        worst = [scene.restart(is_cold=False) for _ in range(options.starts - 1)] + [scene.restart(is_cold=True)]
        return scene.deliver(max(peak for _, peak in worst), max(seconds for seconds, _ in worst))
    finally:
        scene.mesh.end()


class Million:
    def __init__(self, directory, options):
        self.options = options
        self.jobs = max(2, -(-options.envelopes // MOST_A_JOB))
        self.counts = [options.envelopes // self.jobs + (index < options.envelopes % self.jobs)
                       for index in range(self.jobs)]
        self.statistics = os.path.join(directory, "statistics.json")
        self.mesh = Mesh(directory, options.bin)
        self.mesh.render(self._layout())

    def _layout(self):
        # Nothing is sent again here: what is looked at is the relay's own store.
        layout = Layout(store="{maxBytes: 8GiB}", resendAfter="1d")
        layout.relay("a/relay", free_ports(1)[0])
        for index, source in enumerate(SOURCES):
            layout.agent(source, jobs=[self._job(job) for job in range(index, self.jobs, len(SOURCES))])
        layout.agent("a/probe")
        layout.agent("a/witness")
        topics = ", ".join(f"load-{job}" for job in range(self.jobs))
        layout.agent("a/destination", sinks=[
            f"{{name: count, topics: [{topics}], sink: {{kind: discard, statistics: {self.statistics}, "
            f"expected: {self.options.envelopes}}}}}"])
        for name in list(layout.nodes)[1:]:
            layout.link(name, "a/relay")
        layout.flow("load", "a/*", "a/destination")
        layout.flow("probe", "a/probe", "a/witness")
        return layout

    def _job(self, number):
        return (f"{{name: load-{number}, to: a/destination, schedule: {{onChange: true}}, compression: none, "
                f"batchBytes: 1, linger: 0ms, source: {{kind: synthetic, recordBytes: {self.options.bytes}, "
                f"count: {self.counts[number]}}}}}")

    def stored(self):
        status = self.mesh.status("a/relay")
        return status["store"]["envelopes"] if status else None

    def fill(self):
        begun = time.monotonic()
        self.mesh.start_all(but=("a/destination",))
        wanted = self.options.envelopes
        wait_until(f"{wanted:,} envelopes are stored", lambda: (self.stored() or 0) >= wanted, self.stored, self.mesh, 0.5)
        usage = self.mesh.status("a/relay")["store"]
        now, peak = self.mesh.memory("a/relay")
        say(f"filled in {time.monotonic() - begun:.0f} s: {usage['envelopes']:,} envelopes, {usage['bytes'] / 1e6:,.0f} MB; "
            f"resident {now:.0f} MiB, {peak:.0f} at most")
        for source in SOURCES:
            self.mesh.stop(source)

    def restart(self, is_cold):
        """kill -9 and start. Returns the seconds to custody and the greatest MiB until then."""
        # A link that stood for long is dialled anew at once, and not with the delays of one that fails again and again.
        time.sleep(STEADY_SECONDS)
        before = self.stored() or 0
        self.mesh.kill("a/relay")
        if is_cold:
            self._forget_cache()
        begun = time.monotonic()
        self.mesh.start("a/relay")
        probe = Probe(self.mesh)
        ready = self._await("the relay is ready", lambda: self.mesh.is_ready("a/relay"), begun)
        probe.send()
        custody = self._await(
            "custody is given", lambda: (self.stored() or 0) > before and probe.is_rid_of_all(), begun)
        _, peak = self.mesh.memory("a/relay")
        receipt = self._await("the receipt is back", probe.receipted.is_set, begun)
        # What went through may have been stored on its way; its release comes with the next commit.
        self._await(f"the {before:,} envelopes of before and the probe's are stored", lambda: self.stored() == before + 1,
                    begun)
        say(f"start with {'a cold' if is_cold else 'the system’s'} cache: ready {ready:.2f} s, custody {custody:.2f} s, "
            f"receipt {receipt:.2f} s; resident {self.mesh.memory('a/relay')[0]:.0f} MiB, {peak:.0f} at most")
        return custody, peak

    def _await(self, what, condition, begun):
        wait_until(what, condition, mesh=self.mesh, pause=0.005)
        return time.monotonic() - begun

    def _forget_cache(self):
        os.sync()
        for directory, _, files in os.walk(self.mesh.store("a/relay")):
            for file in files:
                descriptor = os.open(os.path.join(directory, file), os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)

    def deliver(self, peak, seconds):
        """Starts the destination and counts; then says the verdict."""
        begun = time.monotonic()
        self.mesh.start("a/destination")
        wanted = self.options.envelopes
        try:
            wait_until(f"{wanted:,} records are delivered", lambda: self._counted().get("distinct", 0) >= wanted,
                       lambda: self._counted().get("distinct"), self.mesh, 0.5)
            wait_until("the relay's store is empty", lambda: self.stored() == 0, self.stored, self.mesh, 0.5)
        finally:
            # What it has counted in the last moment it writes when it ends.
            drained = self.mesh.memory("a/relay")[1]
            self.mesh.stop("a/destination")
            counted = self._counted()
            say(f"{counted['distinct']:,} records were delivered, {wanted - counted['distinct']:,} are missing, "
                f"{counted['duplicates']:,} were repeated")
        say(f"delivered in {time.monotonic() - begun:.0f} s; resident {drained:.0f} MiB at most")
        peak = max(peak, drained)
        say(f"goal met: custody within {SECONDS_GOAL:.0f} s: {answer(seconds <= SECONDS_GOAL)} ({seconds:.2f} s at worst); "
            f"{MEBIBYTES_GOAL} MiB: {answer(peak <= MEBIBYTES_GOAL)} ({peak:.0f} MiB at most)")
        return counted["distinct"] == wanted and counted["duplicates"] == 0 and peak <= MEBIBYTES_GOAL

    def _counted(self):
        try:
            with open(self.statistics) as f:
                return json.load(f)
        except (FileNotFoundError, json.JSONDecodeError):
            return {}


class Probe:
    """Two messages sent through the relay as soon as it is there: one for an end that is down, one for one that is up."""

    def __init__(self, mesh):
        self.mesh = mesh
        self.receipted = threading.Event()

    def send(self):
        threading.Thread(target=self._send_and_wait, daemon=True).start()
        answer = self.mesh.request("a/probe", "/v1/messages?to=a/destination", "POST", b"probe")
        if not answer or answer[0] != 200:
            raise Failed(f"the probe did not take a message: {answer}")

    def _send_and_wait(self):
        answer = self.mesh.request(
            "a/probe", "/v1/messages?to=a/witness&wait=receipt&timeout=100", "POST", b"probe", timeout=110)
        if answer and answer[0] == 200 and json.loads(answer[1])["receipted"]:
            self.receipted.set()

    def is_rid_of_all(self):
        """Nothing of it waits for a neighbour's word any more."""
        status = self.mesh.status("a/probe")
        return bool(status) and status["counters"]["queued"] + status["counters"]["inFlight"] == 0


def answer(is_met):
    return "yes" if is_met else "no"
