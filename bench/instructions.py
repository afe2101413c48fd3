#!/usr/bin/env python3
"""Counts what one operation of `bench` takes: instructions, allocations, retains and releases.

usage: bench/instructions.py [--bin DIR] [--only WORD] [--operations N] [--out DIR]

Unlike a time this does not depend on what else the machine does. Each operation runs N times and 2 N times under callgrind;
the difference over N leaves the start of the program out. valgrind shows a processor of its own, which has AES-NI but not the
wide vectors (AVX-512, VAES) that OpenSSL takes where it finds them: sealing and opening count more here than they cost.
"""
import argparse, json, os, re, shutil, subprocess, sys, tempfile

sys.dont_write_bytecode = True
from peers import debian

# Functions that are counted by their calls; names as callgrind writes them.
CALLS = {
    "allocations": ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"),
    "retains": ("swift_retain", "swift_bridgeObjectRetain", "swift_retain_n"),
    "releases": ("swift_release", "swift_bridgeObjectRelease", "swift_release_n"),
}
# Few where one takes long: so much under callgrind is done in a second or a few.
OPERATIONS, LARGE = 2_000, 40


def measure(bench, only, operations, say):
    debian.need("valgrind", shutil.which("valgrind"))
    names = subprocess.run([bench, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    results = {}
    for name in names:
        if only and only not in name:
            continue
        count = operations or (LARGE if re.search(r"\b(65536|1048576)\b", name) else OPERATIONS)
        say(f"instructions: {name}")
        once, twice = (_count(bench, name, times * count) for times in (1, 2))
        results[name] = {key: (twice[key] - once[key]) / count for key in once}
    return results


def _count(bench, name, operations):
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind.out")
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet",
             bench, name, "--rounds", "1", "--operations", str(operations)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"callgrind of {name} ended with {done.returncode}:\n{done.stdout[-2000:]}")
        return _read(out)


def _read(path):
    """Totals of a profile: its instructions, and the calls to the functions that are counted."""
    names, counts, called = {}, dict.fromkeys(("instructions", *CALLS), 0), None
    with open(path, errors="replace") as f:
        for line in f:
            if line.startswith(("totals:", "summary:")):
                counts["instructions"] = int(line.split()[1])
            elif line.startswith(("fn=", "cfn=")):
                # A name stands once, behind its number; later the number alone.
                number, _, name = line.split("=", 1)[1].strip().partition(" ")
                if name:
                    names[number] = name.split("'")[0].split("@")[0]
                if line.startswith("cfn="):
                    called = names.get(number)
            elif line.startswith("calls="):
                for key, functions in CALLS.items():
                    if called in functions:
                        counts[key] += int(line[6:].split()[0])
    return counts


def table(results):
    lines = ["| one operation | instructions | allocations | retains | releases |", "|---|---|---|---|---|"]
    for name, figures in results.items():
        cells = [f"{figures['instructions']:,.0f}"] + [f"{figures[key]:,.2f}" for key in CALLS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "Under callgrind, whose processor lacks the widest vectors that OpenSSL would take: sealing and opening of large "
              "bodies take fewer instructions outside."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=".build/release", help="folder with bench")
    parser.add_argument("--only", help="operations with this in their names")
    parser.add_argument("--operations", type=int)
    parser.add_argument("--out", help="folder for instructions.json")
    args = parser.parse_args()
    results = measure(os.path.join(args.bin, "bench"), args.only, args.operations, lambda text: print(f"... {text}", file=sys.stderr))
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        with open(os.path.join(args.out, "instructions.json"), "w") as f:
            json.dump(results, f, indent=1)
    print(table(results))


if __name__ == "__main__":
    main()
