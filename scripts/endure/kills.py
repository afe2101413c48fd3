"""kill -9 of random nodes and cut links, over numbered lines both ways: each must arrive once, in order."""
import time

from .faults import FaultRun
from .outputs import OUTPUTS, add_plant_option
from .plants import Plants
from .progress import Failed, say

SHORT = {"kills": 20, "cuts": 3, "records": 50_000}


def add_options(parser):
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--sink", choices=sorted(OUTPUTS), default="files", help="where lines arrive (default files)")
    parser.add_argument("--short", action="store_true", help="%(kills)d kills, %(cuts)d cuts, %(records)d records" % SHORT)
    add_plant_option(parser)


def run(options, directory):
    if options.short:
        for key, value in SHORT.items():
            setattr(options, key, value)
    plants = Plants(directory, options.bin, options.records, options.seed, options.sink)
    return play(plants, options)


def play(plants, options, gentle=0.0):
    """Throws the faults at running plants, waits for the rest and judges."""
    try:
        begun = time.monotonic()
        plants.mesh.start_all()
        run = FaultRun(plants, options.kills, options.cuts, options.seed, gentle)
        run.play()
        say(f"  faults end after {time.monotonic() - begun:.0f} s, {plants.count_arrived:,} records have arrived")
        plants.await_all()
        run.tell()
        say(f"  all arrived {time.monotonic() - begun:.0f} s after the start; starts of nodes: {plants.mesh.starts}")
        return plants.judge(options.plant)
    except Failed:
        # What had arrived until then tells more than that no more came.
        plants.mesh.end()
        plants.tell_verdicts()
        raise
    finally:
        plants.end()
