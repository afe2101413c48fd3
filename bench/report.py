#!/usr/bin/env python3
"""Results as a document: JSON, Markdown and plots.

usage: bench/report.py [RESULTS.json] [--into bench/RESULTS.md]

With --into the figures replace what stands between the document's two markers; what people wrote around them stays.
"""
import argparse, json, os

import agents, disk, failover, files, flat, goals, instructions, isolation, outage, plot, start, tables

BEGIN = "<!-- figures: written by bench/report.py, between these two lines only -->"
END = "<!-- end of the figures -->"


# Heading, part of the results, its text.
SECTIONS = [
    ("Throughput and latency", "comparisons", tables.comparisons),
    ("Kill -9 under load", "failover", failover.table),
    ("A relay away", "outage", outage.table),
    ("Many agents", "agents", agents.table),
    ("Start and size", "start", start.table),
    ("Ten gigabytes, and few records", "files", files.tables),
    ("Memory", "flat", flat.table),
    ("One destination beside another", "isolation", isolation.table),
    ("The journal and the disk", "disk", disk.table),
    ("One part at a time: nanoseconds", "micro", lambda text: text),
    ("One part at a time: instructions", "instructions", instructions.table),
]
SIZES = ["batched-128", "batched-1k", "64k", "1m", "10m"]
LATENCIES = ["p50", "p90", "p99", "p99.9", "most"]


def markdown(results, plots=None):
    """`plots`: where the document finds them."""
    parts = [_machine(results)]
    if results.get("comparisons"):
        parts.append("### Goals\n\n" + goals.table(results))
    for heading, key, text in SECTIONS:
        if results.get(key):
            parts.append(f"### {heading}\n\n{text(results[key])}")
    parts += [f"![{what}]({path})" for what, path in plots or ()]
    return "\n\n".join(filter(None, parts))


def draw(results, directory):
    """The plots that the results have something for: their titles and files."""
    entries = results.get("comparisons", {})
    sizes = [entries[name] for name in SIZES if name in entries]
    series = {who: [e["contestants"].get(key, {}).get("megabytesPerSecond") for e in sizes] for key, who in tables.NAMES.items()}
    made = [("Throughput by size of a record", "throughput.svg", "MB/s", [e["title"] for e in sizes], series)]
    series = {}
    for name in ("latency", "latency-store-first"):
        for key, c in entries.get(name, {}).get("contestants", {}).items():
            who = tables.NAMES[key] + (", store first" if key == "gridrelay" and name != "latency" else "")
            series[who] = [c["latency"][share] for share in LATENCIES]
    made.append(("Latency of 1 KiB at 1,000 records/s", "latency.svg", "microseconds", LATENCIES, series))
    points = agents.scale(results["agents"]) if results.get("agents") else []
    made.append(("Envelopes of 1 KiB through one relay", "agents.svg", "envelopes/s",
                 [f"{point['agents']} agents" for point in points], {"ours": [point["rate"] for point in points]}))
    return [(title, name) for title, name, unit, places, lines in made
            if plot.write(os.path.join(directory, name), title, unit, places, {k: v for k, v in lines.items() if any(v)})]


def _machine(results):
    m = results["machine"]
    versions = "".join(f"; {text}" for text in results.get("versions", {}).values())
    return (f"Taken {m['when']} on {m['cpu']}, {m['cores']} cores, {m['memoryMiB'] / 1024:.0f} GiB, kernel {m['kernel']}, "
            f"{m['fileSystem']}; commit {m['commit']}, {m['openssl']}, {m['swift']}{versions}. Medians of {results['reps']} "
            f"runs of about {results['seconds']:g} s, least and most in brackets.")


def write(results, directory):
    with open(os.path.join(directory, "results.json"), "w") as f:
        json.dump(results, f, indent=1)
    with open(os.path.join(directory, "results.md"), "w") as f:
        f.write(markdown(results, draw(results, directory)) + "\n")


def update(document, results):
    with open(document) as f:
        text = f.read()
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"{document} lacks the lines that say where figures go:\n{BEGIN}\n{END}")
    plots = draw(results, os.path.join(os.path.dirname(document), "plots"))
    figures = markdown(results, [(title, f"plots/{name}") for title, name in plots])
    with open(document, "w") as f:
        f.write(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", default="bench/out/results.json")
    parser.add_argument("--into", metavar="FILE")
    args = parser.parse_args()
    with open(args.results) as f:
        results = json.load(f)
    write(results, os.path.dirname(args.results) or ".")
    if args.into:
        update(args.into, results)
    print(markdown(results))


if __name__ == "__main__":
    main()
