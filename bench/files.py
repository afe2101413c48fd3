"""Ten gigabytes in files of 10 MB, the same in records that no disk has, and 100 to 100,000 records: time, CPU, memory, I/O.

The files are real ones: the agent's files source reads them in chunks of 1 MiB (its default) from a disk that no cache helps,
the files sink writes, synchronizes and compares each before it gives it its name; no two have their bytes at the same place.
Afterwards every byte of every file is compared. The records of 10 MB are a record an envelope, made up and thrown away.

Time is from the signal that brings the job to the last file's name (the last record) at the destination; the processes' own
accounts are taken when the source has the last receipt, from the same signal on. Memory is the most resident since the start.
"""
import os, shutil, tempfile, time

from cases import Case
from common import Noise, resident, show, spread
from mesh import Mesh, job_of

GIGABYTES = 10
SIZE = 10**7
CHUNK = 1 << 20
# From file to file, in the bytes that all are cut from: odd, so that no chunk of one is one of another.
SHIFT = 4_099
# 200 GB in 19 minutes.
PUBLISHED = 175
RECORD = Case("10mb", "10 MB", SIZE, 0, linger="0ms", batch_bytes=SIZE + 1024)
SMALL = Case("files", "1 KiB", 1024, 0)
COUNTS = (100, 1_000, 10_000, 100_000)
# What the nodes' stores may take beside the files, with room to spare.
STORES = 8 * 10**9
# Seconds between two looks at what is there.
POLL = 0.002
NODES = {"a-agent": "source agent", "a-relay": "first relay", "b-relay": "second relay", "b-agent": "destination agent"}


def measure(bin_directory, gigabytes, reps, say):
    count = max(1, round(gigabytes * 1e9 / SIZE))
    runs = {}
    for name, run in (("files", _files), ("records", _records)):
        runs[name] = _beside_others(lambda: run(bin_directory, count))
        say(f"files: {count:,} {name} in {runs[name]['seconds']:.1f} s, "
            f"{runs[name]['megabytesPerSecond']:.1f} MB/s (others {runs[name]['otherCores']:.1f} cores)")
    cases = {}
    for records in COUNTS:
        cases[records] = [_beside_others(lambda: _case(bin_directory, SMALL, records)) for _ in range(reps)]
        say(f"files: {records:,} records in {show(_spread(cases[records], 'settled'), '{:.3f}')} s")
    return {"count": count, "runs": runs, "cases": cases}


def _beside_others(run):
    noise = Noise()
    figures = run()
    return figures | {"otherCores": round(noise.cores(), 2)}


def _records(bin_directory, count):
    figures = _case(bin_directory, RECORD, count)
    return figures | {"megabytesPerSecond": count * SIZE / figures["seconds"] / 1e6}


def _case(bin_directory, case, count):
    mesh = Mesh(bin_directory, job_of(case, count), count)
    try:
        run = _Run(mesh)
        arrived = mesh.wait(count, pause=POLL)
        if arrived["duplicates"] or arrived["missing"]:
            raise RuntimeError(f"{arrived['duplicates']} repeated, {arrived['missing']} missing")
        return run.end(arrived["lastTime"] / 1000, count)
    finally:
        mesh.stop()


def _files(bin_directory, count):
    with tempfile.TemporaryDirectory(prefix="gridrelay-bench-") as directory:
        free, needed = shutil.disk_usage(directory).free, 2 * count * SIZE + STORES
        if free < needed:
            raise RuntimeError(f"{directory} has {free / 1e9:.0f} GB free and {needed / 1e9:.0f} are needed; "
                               "set TMPDIR to a larger disk, or fewer --gigabytes")
        source, target = (os.path.join(directory, name) for name in ("from", "to"))
        block = memoryview(os.urandom(SIZE + count * SHIFT))
        contents = {f"{number:06}": block[number * SHIFT:][:SIZE] for number in range(count)}
        _create(source, contents)
        job = ["schedule: {onChange: true}", "compression: none", f"source: {{kind: files, path: {source}, mode: whole}}"]
        mesh = Mesh(bin_directory, job, None, sink=f"{{kind: files, directory: {target}, mode: whole}}")
        try:
            # Until the source takes the youngest for at rest, too.
            time.sleep(3)
            run = _Run(mesh)
            mesh.watch(lambda: len(_names(target)), count)
            # The directory's last change is the last file's name.
            figures = run.end(os.stat(target).st_mtime, count * -(-SIZE // CHUNK))
        finally:
            mesh.stop()
        _compare(target, contents)
        return figures | {"megabytesPerSecond": count * SIZE / figures["seconds"] / 1e6}


class _Run:
    """From the signal that brings the job to the last receipt."""

    def __init__(self, mesh):
        self.mesh, self.before, self.begun = mesh, mesh.accounts(), time.time()
        mesh.begin()

    def end(self, last, records):
        """`last`: when the last record came, or the last file got its name."""
        self.mesh.watch(self._receipted, records, pause=POLL)
        settled, after = time.time() - self.begun, self.mesh.accounts()
        delivered = sum(sink["records"] for sink in self.mesh.status("b-agent")["sinks"])
        if delivered != records:
            raise RuntimeError(f"{records} records were delivered as {delivered}")
        nodes = {}
        for node, begun in self.before.items():
            cpu, read, written = (now - then for now, then in zip(after[node], begun))
            nodes[node] = {"cpu": cpu, "read": read, "written": written, "resident": self.mesh.peak(node)}
        return {"seconds": last - self.begun, "settled": settled, "nodes": nodes}

    def _receipted(self):
        """Records of the job while nothing of it waits for a receipt, else none."""
        jobs = self.mesh.status("a-agent").get("jobs", [])
        return sum(job["records"] for job in jobs) if not any(job["unreceipted"] for job in jobs) else 0


def _create(directory, contents):
    """On the disk and in no cache."""
    os.mkdir(directory)
    for name, content in contents.items():
        with open(os.path.join(directory, name), "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _names(directory):
    try:
        return [name for name in os.listdir(directory) if not name.startswith(".")]
    except FileNotFoundError:
        return []


def _compare(directory, contents):
    """Every file is there under its name with all its bytes, and no other."""
    if sorted(_names(directory)) != sorted(contents):
        raise RuntimeError(f"{len(contents)} files were sent, and {len(_names(directory))} or others are there")
    for name, content in contents.items():
        with open(os.path.join(directory, name), "rb") as f:
            if f.read() != content:
                raise RuntimeError(f"the file {name} is not what was sent")


def rate(results):
    """MB/s of the files; None where they were not all of the ten gigabytes."""
    return results["runs"]["files"]["megabytesPerSecond"] if results["count"] * SIZE >= GIGABYTES * 10**9 else None


def tables(results):
    return f"{_of_runs(results)}\n\n{_of_nodes(results)}\n\n{_of_cases(results)}"


def _of_runs(results):
    lines = [f"| {results['count']:,} of 10 MB | s | MB/s | of {PUBLISHED} MB/s | s to the last receipt | others' cores |",
             "|---|---|---|---|---|---|"]
    for name, run in results["runs"].items():
        rate = run["megabytesPerSecond"]
        lines.append(f"| {name} | {run['seconds']:.1f} | {rate:.1f} | {rate / PUBLISHED:.2f} | {run['settled']:.1f} | "
                     f"{run['otherCores']:.1f} |")
    return "\n".join(lines)


def _of_nodes(results):
    lines = ["| | process | CPU s | most RSS MiB | read MB | written MB |", "|---|---|---|---|---|---|"]
    for name, run in results["runs"].items():
        for node, title in NODES.items():
            of = run["nodes"][node]
            lines.append(f"| {name} | {title} | {of['cpu']:.1f} | {of['resident']:.0f} | {of['read'] / 1e6:,.0f} | "
                         f"{of['written'] / 1e6:,.0f} |")
    return "\n".join(lines)


def _of_cases(results):
    lines = ["| records of 1 KiB | s to the last record | s to the last receipt | CPU s, all four | most RSS MiB, one | "
             "all four | written MB, all four | others' cores |", "|---" * 8 + "|"]
    for count, runs in results["cases"].items():
        for run in runs:
            nodes = run["nodes"].values()
            run |= {"cpu": sum(n["cpu"] for n in nodes), "largest": max(n["resident"] for n in nodes),
                    "resident": sum(n["resident"] for n in nodes), "written": sum(n["written"] for n in nodes) / 1e6}
        forms = {"seconds": "{:.3f}", "settled": "{:.3f}", "cpu": "{:.3f}", "largest": "{:.0f}", "resident": "{:.0f}",
                 "written": "{:,.1f}"}
        cells = " | ".join(show(_spread(runs, key), form) for key, form in forms.items())
        lines.append(f"| {int(count):,} | {cells} | {max(run['otherCores'] for run in runs):.1f} |")
    return "\n".join(lines)


def _spread(runs, key):
    return spread([run[key] for run in runs])
