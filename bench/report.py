#!/usr/bin/env python3
"""Results as a document: JSON, Markdown and plots.

usage: bench/report.py [RESULTS.json] [--into bench/RESULTS.md]

With --into the figures replace what stands between the document's two markers; what people wrote around them stays.
"""
import argparse, json, os

import disk, isolation, tables

BEGIN = "<!-- figures: written by bench/report.py, between these two lines only -->"
END = "<!-- end of the figures -->"


def markdown(results):
    parts = [_machine(results)]
    if results.get("comparisons"):
        parts.append(tables.comparisons(results["comparisons"]))
    if results.get("isolation"):
        parts.append(isolation.table(results["isolation"]))
    if results.get("disk"):
        parts.append(disk.table(results["disk"]))
    return "\n\n".join(filter(None, parts))


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
        f.write(markdown(results) + "\n")


def update(document, results):
    with open(document) as f:
        text = f.read()
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"{document} lacks the lines that say where figures go:\n{BEGIN}\n{END}")
    with open(document, "w") as f:
        f.write(f"{before}{BEGIN}\n\n{markdown(results)}\n\n{END}{after}")


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
