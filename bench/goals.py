"""What was set as a goal, what came out, and whether that is enough. Ratios are medians of pairs."""
import agents, files, flat


def table(results):
    lines = ["| goal | figure | met |", "|---|---|---|"]
    for text, judge in GOALS:
        figure, is_met = judge(results)
        lines.append(f"| {text} | {figure} | {'not measured' if is_met is None else 'yes' if is_met else 'no'} |")
    return "\n".join(lines)


def _comparison(results, case):
    return results.get("comparisons", {}).get(case, {})


def _median(results, case, key):
    """Ours."""
    figure = _comparison(results, case).get("contestants", {}).get("gridrelay", {}).get(key)
    return figure and figure["median"]


def _latency(results, case, key):
    latency = _comparison(results, case).get("contestants", {}).get("gridrelay", {}).get("latency") or {}
    return latency.get(key) and latency[key]["median"]


def ratio(case, rival, least):
    def judge(results):
        figure = _comparison(results, case).get("ratios", {}).get(rival, {}).get("recordsPerSecond")
        if not figure:
            return _comparison(results, case).get("skipped", {}).get(rival, "-").splitlines()[0], None
        return f"{figure['median']:,.2f} ({figure['min']:,.2f}-{figure['max']:,.2f})", figure["median"] >= least
    return judge


def figure(take, form, is_enough):
    def judge(results):
        value = take(results)
        return ("-", None) if value is None else (form.format(value), is_enough(value))
    return judge


def _failover(key, combine):
    def take(results):
        runs = [run for runs in results.get("failover", {}).values() for run in runs]
        if not runs or any("failed" in run for run in runs):
            return None
        return combine(run[key] for run in runs)
    return take


def _relay_memory(results):
    peaks = [c["contestants"]["gridrelay"]["relayRSS"] for c in results.get("comparisons", {}).values()
             if c["rate"] is None and "gridrelay" in c["contestants"]]
    return max((p["max"] for p in peaks if p), default=None)


def _growth(results):
    return flat.growth(results["flat"]) if results.get("flat") else None


def _disk(results):
    return min((entry["ratio"] for entry in results.get("disk", [])), default=None)


def _program(results):
    program = results.get("start", {}).get("program")
    return program["strippedBytes"] / 1e6 if program and not program["swiftLibraries"] else None


def _outage(key):
    return lambda results: results.get("outage", {}).get(key)


def _agents_ratio(results):
    return agents.scale(results["agents"])[-1]["ratio"]["median"] if results.get("agents") else None


def _idle(key):
    return lambda results: results.get("agents", {}).get("idle", {}).get(key)


GOALS = [
    ("1: 128 B batched, 20 times NATS", ratio("batched-128", "nats", 20)),
    ("1: 100 B batched, 2,000,000 records/s on a quiet machine",
     figure(lambda r: _median(r, "batched-100", "recordsPerSecond"), "{:,.0f}", lambda v: v >= 2e6)),
    ("1: 1 KiB batched, 6 times NATS", ratio("batched-1k", "nats", 6)),
    ("2: 128 B, one an envelope, 3 times NATS", ratio("single-128", "nats", 3)),
    ("3: 64 KiB, 1.3 times NATS", ratio("64k", "nats", 1.3)),
    ("3: 1 MiB, 1.3 times NATS", ratio("1m", "nats", 1.3)),
    ("3: 10 MiB, 1.3 times NATS", ratio("10m", "nats", 1.3)),
    ("3: 64 KiB, 0.8 of the reference", ratio("64k", "reference", 0.8)),
    ("3: 1 MiB, 0.8 of the reference", ratio("1m", "reference", 0.8)),
    ("3: 10 MiB, 0.8 of the reference", ratio("10m", "reference", 0.8)),
    ("4: 128 B batched, store first, 100 times NATS with sync always", ratio("store-first-128", "nats-sync", 100)),
    ("4: 1 KiB unbatched, store first, 10 times NATS with sync always and 256 in flight",
     ratio("store-first-1k", "nats-sync", 10)),
    ("5: relays' CPU for a million batched records of 128 B, 1.5 s at most",
     figure(lambda r: _median(r, "batched-128", "relayCPUPerMillion"), "{:.2f} s", lambda v: v <= 1.5)),
    ("5: a relay's resident memory under load, 64 MiB at most", figure(_relay_memory, "{:.0f} MiB", lambda v: v <= 64)),
    ("5: flat while gigabytes pass (less than 4 MiB more at the end than after a quarter)",
     figure(_growth, "{:+.1f} MiB", lambda v: v < 4)),
    ("6: p50 at 1,000/s, 250 us at most", figure(lambda r: _latency(r, "latency", "p50"), "{:,.0f} us", lambda v: v <= 250)),
    ("6: p99 at 1,000/s, 700 us at most", figure(lambda r: _latency(r, "latency", "p99"), "{:,.0f} us", lambda v: v <= 700)),
    ("6: p99 at 1,000/s with store first, 5 ms at most",
     figure(lambda r: _latency(r, "latency-store-first", "p99"), "{:,.0f} us", lambda v: v <= 5000)),
    ("7: the journal's write path, 0.8 of fio", figure(_disk, "{:.2f} at least", lambda v: v >= 0.8)),
    ("7: while the link is down, 0.8 of fio", figure(_outage("storeRatio"), "{:.2f}", lambda v: v >= 0.8)),
    ("7: the backlog drains at 0.8 of the live rate", figure(_outage("drainRatio"), "{:.2f}", lambda v: v >= 0.8)),
    ("7: fresh data's p99 while it drains, within 3 times", figure(_outage("p99Ratio"), "{:.2f}", lambda v: v <= 3)),
    ("8: 500 agents on one relay, 0.8 of the rate of one", figure(_agents_ratio, "{:.2f}", lambda v: v >= 0.8)),
    ("8: idle sessions, 64 KiB each at most", figure(_idle("kibibytesEach"), "{:.1f} KiB", lambda v: v <= 64)),
    ("8: 5,000 idle sessions, 5 % of a core at most", figure(_idle("cores"), "{:.1%}", lambda v: v <= 0.05)),
    (f"9: 10 GB in files of 10 MB, the published {files.PUBLISHED} MB/s",
     figure(lambda r: files.rate(r["files"]) if r.get("files") else None, "{:.0f} MB/s", lambda v: v >= files.PUBLISHED)),
    ("10: from the start to the first forwarded envelope, 200 ms at most",
     figure(lambda r: r["start"]["milliseconds"]["again"]["median"] if r.get("start") else None, "{:.0f} ms", lambda v: v <= 200)),
    ("10: relayd stripped, with Swift's library inside, 20 MB at most", figure(_program, "{:.1f} MB", lambda v: v <= 20)),
    ("11: kill -9 of either relay: lost", figure(_failover("lost", sum), "{:,}", lambda v: v == 0)),
    ("11: kill -9 of either relay: repeated", figure(_failover("repeated", sum), "{:,}", lambda v: v == 0)),
    ("11: kill -9 of either relay: from its start to the next record, 1 s at most",
     figure(_failover("afterStart", max), "{:.2f} s at most", lambda v: v <= 1)),
]
