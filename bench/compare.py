"""Ours and its rivals by turns: A B A B A B, so that what disturbs the machine disturbs both, and ratios are made by pairs.

Each contestant first has a run of its own that is thrown away: it warms files and caches, and says how many records fill a
measured run.
"""
from common import Noise, say, spread

FIGURES = ("recordsPerSecond", "megabytesPerSecond", "relayCPUPerMillion")
LATENCIES = ("p50", "p90", "p99", "p99.9", "most")


def compare(case, contestants, reps, seconds):
    """`contestants`: ours first. One that cannot do the case, or fails in it, is named with the reason and no figure."""
    skipped = {c.name: c.cannot(case) for c in contestants if c.cannot(case)}
    counts, runs = {}, {}
    for contestant in contestants:
        if contestant.name in skipped:
            continue
        say(f"{case.name}: {contestant.name}, warm-up")
        try:
            pilot = case.pilot_of(contestant is contestants[0])
            counts[contestant.name] = _count(case, contestant.run(case, pilot), pilot, seconds)
            runs[contestant.name] = []
        except RuntimeError as failure:
            skipped[contestant.name] = f"failed: {failure}"
            say(f"{case.name}: {contestant.name} {skipped[contestant.name]}")
    for rep in range(reps):
        for contestant in contestants:
            if contestant.name in runs:
                runs[contestant.name].append(_run(case, contestant, counts[contestant.name], rep))
    return {
        "title": case.title, "bytes": case.size, "rate": case.rate, "window": case.rival_window, "skipped": skipped,
        "contestants": {name: _summary(case, made) for name, made in runs.items()},
        "ratios": {name: _ratios(case, runs[contestants[0].name], made) for name, made in runs.items()
                   if name != contestants[0].name and contestants[0].name in runs}}


def _count(case, warm, pilot, seconds):
    """Records of a measured run: enough for its length, and never fewer than the warm-up had."""
    if case.is_latency:
        return int(case.rate * max(5, 2 * seconds))
    return max(pilot, int(warm["recordsPerSecond"] * seconds))


def _run(case, contestant, count, rep):
    noise = Noise()
    try:
        run = contestant.run(case, count)
    except RuntimeError as failure:
        run = {"failed": str(failure)}
    run["otherCores"] = round(noise.cores(), 2)
    shown = run.get("failed") or (
        f"p50 {run['latency']['p50']:,.0f} us, p99 {run['latency']['p99']:,.0f} us" if case.is_latency
        else f"{run['recordsPerSecond']:,.0f} records/s, {run['megabytesPerSecond']:,.1f} MB/s")
    say(f"{case.name} {rep + 1}: {contestant.name} {shown} (others {run['otherCores']:.1f} cores)")
    return run


def _summary(case, runs):
    good = [run for run in runs if "failed" not in run]
    summary = {key: spread([run.get(key) for run in good]) for key in FIGURES}
    summary["latency"] = {key: spread([run["latency"][key] for run in good]) for key in LATENCIES} if case.is_latency else None
    summary["relayRSS"] = spread([run.get("relayRSS") for run in good])
    summary["agentRSS"] = spread([run.get("agentRSS") for run in good])
    summary["envelopesPerSecond"] = spread([run["envelopes"] / run["seconds"] for run in good if run.get("envelopes")])
    summary["failed"] = len(runs) - len(good)
    return summary | {"runs": runs}


def _ratios(case, ours, theirs):
    """Ours over theirs, of the two runs that followed each other."""
    pairs = [(a, b) for a, b in zip(ours, theirs) if "failed" not in a and "failed" not in b]
    if case.is_latency:
        return {key: spread([a["latency"][key] / b["latency"][key] for a, b in pairs]) for key in ("p50", "p99")}
    return {key: spread([a[key] / b[key] for a, b in pairs]) for key in ("recordsPerSecond",)} | {
        "relayCPUPerMillion": spread([a["relayCPUPerMillion"] / b["relayCPUPerMillion"] for a, b in pairs
                                      if b.get("relayCPUPerMillion")])}
