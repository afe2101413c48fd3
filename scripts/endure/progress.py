"""What a run says while it lasts, and when it gives up: by standing still, never by the clock alone."""
import sys, time

# Nothing moved for so long: on a machine whose two cores others use too, a restart with everything there is takes seconds.
STILL_SECONDS = 120


class Failed(Exception):
    """A run failed; the text says why."""


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Watch:
    """Fails a run in which a figure that should change has not done so for long."""

    def __init__(self, what, detail=lambda: "", still=STILL_SECONDS):
        self.what, self.detail, self.still = what, detail, still
        self.value, self.since = None, time.monotonic()

    def note(self, value):
        now = time.monotonic()
        if value != self.value:
            self.value, self.since = value, now
        elif now - self.since > self.still:
            raise Failed(f"{self.what}: stood still at {value} for {self.still} s\n{self.detail()}")


class Ticker:
    """Says how far a run has come, not too often."""

    def __init__(self, every=10):
        self.every, self.due = every, time.monotonic() + every

    def say(self, text):
        now = time.monotonic()
        if now >= self.due:
            self.due = now + self.every
            say(text())


def wait_until(what, condition, figure=lambda: None, mesh=None, pause=0.05):
    """Waits until `condition` holds, and fails where `figure` stands still before."""
    watch = Watch(what, lambda: mesh.tails if mesh else "")
    ticker = Ticker()
    while not condition():
        value = figure()
        watch.note(value)
        ticker.say(lambda: f"  {what}: {value}" if value is not None else f"  waiting: {what}")
        if mesh:
            mesh.check()
        time.sleep(pause)


def warn(text):
    print(text, file=sys.stderr, flush=True)
