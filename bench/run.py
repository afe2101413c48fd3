#!/usr/bin/env python3
"""Measures agent - relay - relay - agent on one machine, and its rivals at the same work by turns.

usage: bench/run.py [--bin DIR] [--cases NAME,...] [--against nats,reference] [--reps N] [--seconds S] [--out DIR]

Every run gets fresh nodes and a fresh directory. All three hops are mutual TLS, envelopes are sealed end to end, custody
and receipts are on: the programs and settings are the ones that are shipped. Rates are taken at the sink (first to last
record); CPU and memory are the processes' own accounts. Prints tables; writes results.json, results.md and plots.

cases: names of bench/cases.py, or groups of them:
"""
import argparse, os, signal, sys

sys.dont_write_bytecode = True
import agents, cases, compare, disk, failover, files, flat, instructions, isolation, outage, report, start
from common import Unavailable, machine, output_of, read_json, say
from ours import Ours

GROUPS = {
    "throughput": [c.name for c in cases.CASES if not c.is_latency],
    "latency": [c.name for c in cases.CASES if c.is_latency],
}
OTHERS = {
    "failover": "kill -9 of either relay under load",
    "agents": "500 agents on one relay beside one, and sessions that only stay",
    "outage": "what a relay stores while the next one is away, and how it drains",
    "start": "from the start of a relay to the first envelope it forwards; size of its program",
    "files": "ten gigabytes in files of 10 MB, and 100 to 100,000 records: time, CPU, memory, I/O",
    "flat": "what relays have resident while gigabytes pass",
    "micro": "nanoseconds of single operations",
    "instructions": "instructions, allocations and retains of single operations, under callgrind",
    "isolation": "what a slow or a dead destination does to another one",
    "disk": "what the journal makes of the disk, beside fio",
}


def main():
    names = "".join(f"  {name}: {', '.join(members)}\n" for name, members in GROUPS.items())
    names += "".join(f"  {name}: {what}\n" for name, what in OTHERS.items())
    parser = argparse.ArgumentParser(description=__doc__ + names, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=".build/release", help="folder with relayd, agentd, relayctl and bench")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="about how long one measured run takes")
    parser.add_argument("--cases", default="throughput,latency")
    parser.add_argument("--against", default="", help="rivals: nats, reference")
    parser.add_argument("--out", default="bench/out")
    parser.add_argument("--add", action="store_true", help="keep what other cases have left in the folder's results")
    parser.add_argument("--into", metavar="FILE", help="also write the figures into this document, between its markers")
    parser.add_argument("--gigabytes", type=float,
                        help=f"how much passes; files: {files.GIGABYTES}, flat: {flat.GIGABYTES} unless told otherwise")
    parser.add_argument("--sessions", type=int, default=agents.IDLE, help="agents: how many only stay")
    parser.add_argument("--relay-stores", metavar="DIR", help="isolation: where the relays' stores are, such as /dev/shm")
    args = parser.parse_args()
    args.bin = os.path.abspath(args.bin)
    # As an interrupt does, so that no node is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = [name for word in args.cases.split(",") for name in GROUPS.get(word, [word])]
    unknown = [name for name in wanted if name not in cases.BY_NAME and name not in OTHERS]
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; run with --help for all")
    os.makedirs(args.out, exist_ok=True)
    try:
        contestants = everybody(args)
    except Unavailable as missing:
        sys.exit(f"bench: {missing}")
    # Parts that are measured at other times stay together in one file.
    results = read_json(os.path.join(args.out, "results.json")) if args.add else {}
    results = {"comparisons": {}} | results | {"machine": machine(args.bin), "reps": args.reps, "seconds": args.seconds,
               "versions": results.get("versions", {}) | {c.name: c.version() for c in contestants if c.version()}}
    for name in wanted:
        results |= measure(name, contestants, args, results)
        # What has been measured stays, whatever comes of the next one.
        report.write(results, args.out)
    if args.into:
        report.update(args.into, results)
    print(report.markdown(results))


def everybody(args):
    contestants = [Ours(args.bin)]
    build = os.path.abspath(os.path.join(".build", "bench"))
    for rival in filter(None, args.against.split(",")):
        if rival == "reference":
            from peers.reference import Reference
            contestants.append(Reference(build))
        elif rival == "nats":
            from peers.nats import Nats
            contestants += [Nats(build), Nats(build, sync_always=True)]
        else:
            sys.exit(f"bench: there is no rival '{rival}'; nats and reference are known")
    return contestants


def measure(name, contestants, args, results):
    if name in cases.BY_NAME:
        case = cases.BY_NAME[name]
        taking_part = [c for c in contestants if c.name == Ours.name or c.name in case.rivals]
        figures = compare.compare(case, taking_part, args.reps, args.seconds)
        return {"comparisons": results["comparisons"] | {name: figures}}
    say(name)
    bench = os.path.join(args.bin, "bench")
    measured = {
        "failover": lambda: failover.measure(args.bin, args.reps, say),
        "agents": lambda: agents.measure(args.bin, args.reps, args.sessions, say),
        "outage": lambda: outage.measure(args.bin, args.reps, args.seconds, say),
        "start": lambda: start.measure(args.bin, args.reps, say),
        "files": lambda: files.measure(args.bin, args.gigabytes or files.GIGABYTES, args.reps, say),
        "flat": lambda: flat.measure(args.bin, args.gigabytes or flat.GIGABYTES, say),
        "micro": lambda: output_of(bench),
        "instructions": lambda: instructions.measure(bench, None, None, say),
        "isolation": lambda: isolation.measure(args.bin, args.reps, args.seconds, args.relay_stores, say),
        "disk": lambda: disk.measure(bench, args.reps, say),
    }
    try:
        return {name: measured[name]()}
    except RuntimeError as failure:
        # The other cases still have figures.
        say(f"{name} failed: {failure}")
        return {}


if __name__ == "__main__":
    main()
