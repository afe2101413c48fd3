"""Kills and cuts in an order and at moments that a seed decides, while data flows."""
import heapq, itertools, random, time

from .plants import AGENTS, RELAYS
from .progress import Ticker, Watch, say

# Seconds between looks at what is due, arrived or ended.
TICK = 0.02
# In how many ticks the share of the data that belongs to one fault is added: faults should meet data on its way.
SHARE_TICKS = 25
# The longest that a process stays away, and that a link stays cut.
DOWN_SECONDS, CUT_SECONDS = 1.0, 3.0
# Records that may be on their way; faults wait where there are more, or the mesh would drown in its own restarts.
MOST_UNDER_WAY = 0.05


class FaultRun:
    """Invariant: whatever was killed starts again, and whatever was cut heals, before `play` returns."""

    def __init__(self, plants, kills, cuts, seed, gentle=0.0):
        """`gentle`: the share of the kills that ask the process to end instead."""
        self.plants, self.mesh, self.gentle = plants, plants.mesh, gentle
        self.random = random.Random(seed)
        self.faults = ["kill"] * kills + ["cut"] * cuts
        self.random.shuffle(self.faults)
        self.done = {"kill": 0, "stop": 0, "cut": 0}
        self.kills_of = dict.fromkeys(AGENTS + RELAYS, 0)
        # When, and what then; the number keeps what is due at one time in order.
        self._agenda, self._order = [], itertools.count()
        self._ticker = Ticker()
        self.records = sum(lines.count for lines in plants.flows)
        # The share of all data that is due before the next fault, and the lines of each job that one tick adds.
        self._share = 0.0
        self._slice = max(1, self.records // max(1, len(self.faults)) // len(plants.flows) // SHARE_TICKS)

    def play(self):
        most_under_way = max(2000, int(self.records * MOST_UNDER_WAY))
        for index, fault in enumerate(self.faults):
            self._share = (index + 1) / len(self.faults)
            self._await_room(most_under_way)
            # Three of four meet a mesh in which something has just arrived; the others one that is still in pieces.
            if self.random.random() < 0.75:
                self._await_arrival()
            self._pass(self.random.uniform(0, 0.4))
            self._strike(fault)
        while self._agenda:
            self._tick()
        self.plants.feed(1, self.records)

    def _await_room(self, most):
        watch = self._watch("no more than %d records are under way" % most)
        while self.plants.count_fed - self.plants.count_arrived > most:
            watch.note(self.plants.count_arrived)
            self._tick()

    def _await_arrival(self):
        before = self.plants.count_arrived
        watch = self._watch("a record arrives between two faults")
        while self.plants.count_arrived <= before and self.plants.count_arrived < self._due():
            watch.note(self.plants.count_arrived)
            self._tick()

    def _due(self):
        """Records that all will have been fed before the next fault."""
        return sum(int(lines.count * self._share) for lines in self.plants.flows)

    def _watch(self, what):
        return Watch(what, lambda: self.mesh.tails)

    def _pass(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._tick()

    def _tick(self):
        while self._agenda and self._agenda[0][0] <= time.monotonic():
            heapq.heappop(self._agenda)[2]()
        self.plants.feed(self._share, self._slice)
        self.mesh.check()
        self._ticker.say(self.state)
        time.sleep(TICK)

    def state(self):
        done = self.done
        return (f"  {done['kill'] + done['stop']} kills, {done['cut']} cuts of {len(self.faults)}; "
                f"{self.plants.count_fed:,} records fed, {self.plants.count_arrived:,} arrived")

    def _later(self, seconds, action):
        heapq.heappush(self._agenda, (time.monotonic() + seconds, next(self._order), action))

    def _strike(self, fault):
        if fault == "cut":
            whole = [proxy for proxy in self.plants.proxies if not proxy.is_cut]
            while not whole:
                self._tick()
                whole = [proxy for proxy in self.plants.proxies if not proxy.is_cut]
            proxy = self.random.choice(whole)
            proxy.cut()
            self._later(self.random.uniform(0.05, CUT_SECONDS), proxy.heal)
        else:
            while not self.mesh.processes:
                self._tick()
            victim = self.random.choice([name for name in self.mesh.layout.nodes if name in self.mesh.processes])
            if self.random.random() < self.gentle:
                fault = "stop"
                self.mesh.stop(victim)
            else:
                self.mesh.kill(victim)
            self.kills_of[victim] += 1
            self._later(self.random.uniform(0, DOWN_SECONDS), lambda: self.mesh.start(victim))
        self.done[fault] += 1

    def tell(self):
        ends = ", ".join(f"{name} {count}" for name, count in self.kills_of.items())
        say(f"{self.done['kill']} kills with -9, {self.done['stop']} asked to end, {self.done['cut']} cuts; ended: {ends}")
