"""Nodes start by turns as an older and as this version, on the same stores, under the faults of `kills`.

Builds the older programs from git, in a tree of their own that is removed afterwards, unless --old-bin has them. Half
of the restarts are as an operator does them, by SIGTERM, the others kill -9. What the older version wrote the newer one
goes on with, and the other way round: a rolling upgrade, and the way back.
"""
import os, shutil, subprocess

from . import kills
from .plants import Plants
from .progress import Failed, say

# What decides of bytes on the wire and on disk.
FORMATS = ("Sources/Link", "Sources/Mesh", "Sources/Envelope")


def add_options(parser):
    kills.add_options(parser)
    parser.set_defaults(kills=300, cuts=30, records=300_000)
    parser.add_argument("--old", metavar="REV",
                        help="the older version (default: before the last commit to " + ", ".join(FORMATS) + ")")
    parser.add_argument("--old-bin", metavar="DIR", help="folder with the older version's programs, built before")


def run(options, directory):
    if options.short:
        options.kills, options.cuts, options.records = (kills.SHORT[key] for key in ("kills", "cuts", "records"))
    old = os.path.abspath(options.old_bin) if options.old_bin else build(options.old or default(), directory)
    # The older relayctl writes the configuration: what it knows both know.
    plants = Plants(directory, old, options.records, options.seed, options.sink)
    starts = {old: 0, options.bin: 0}

    def turn(name):
        """Old first, then by turns, each node for itself."""
        chosen = (old, options.bin)[plants.mesh.starts.get(name, 0) % 2]
        starts[chosen] += 1
        return chosen

    plants.mesh.bin_of_next_start = turn
    is_good = kills.play(plants, options, gentle=0.5)
    say(f"{starts[old]} starts of the older version, {starts[options.bin]} of the newer")
    return is_good


def git(*words):
    root = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(("git", "-C", root) + words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"git {' '.join(words)}: {done.stdout}")
    return done.stdout.strip()


def default():
    last = git("log", "-1", "--no-merges", "--format=%H", "--", *(f":/{path}" for path in FORMATS))
    return last + "^"


def build(revision, directory):
    """The older version's programs, in a folder below `directory`."""
    commit = git("rev-parse", "--verify", revision + "^{commit}")
    say("the older version is " + git("log", "-1", "--format=%h %s", commit) + "; it is built now, which takes minutes")
    tree, built = os.path.join(directory, "older"), os.path.join(directory, "older-bin")
    git("worktree", "add", "--detach", tree, commit)
    try:
        os.makedirs(built)
        log = os.path.join(directory, "older-build.log")
        for program in ("relayd", "agentd", "relayctl"):
            with open(log, "a") as f:
                done = subprocess.run(
                    [os.environ.get("SWIFT", "swift"), "build", "-c", "release", "--product", program,
                     "--scratch-path", os.path.join(tree, ".build")], cwd=tree, stdout=f, stderr=f)
            if done.returncode != 0:
                raise Failed(f"the older version could not be built; see {log}")
            shutil.copy(os.path.join(tree, ".build", "release", program), built)
    finally:
        git("worktree", "remove", "--force", tree)
    return built
